import { withPipeline } from './turnover.ts'
import { troubled } from './troubled.ts'

/** @public `millrace` loads it. */
export default withPipeline(troubled)
