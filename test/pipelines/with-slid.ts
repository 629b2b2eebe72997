import { slid, withPipeline } from './turnover.ts'

/** @public `millrace` loads it. */
export default withPipeline(slid)
