import { turnover, withPipeline } from './turnover.ts'

export default withPipeline(turnover)
