import { averaged, withPipeline } from './turnover.ts'

export default withPipeline(averaged)
