/** One of the pipelines alone, for machines on which all of them are too many. */
import { departuresPerAirport } from './pipelines.ts'
import { platformWith } from './platform.ts'

export default platformWith([departuresPerAirport])
