import { slid, withPipeline } from './turnover.ts'

export default withPipeline(slid)
