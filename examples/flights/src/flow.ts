import type { Admin } from '@millrace/kafka/admin'
import { consumerGroup } from '@millrace/flink/kafka-names'
import { type Consumption, lagOf } from './backlog.ts'
import { departuresPerAirport, departuresTable, flightDeparted } from './platform.ts'
import type { Lag } from './summary.ts'

/** The groups that read on the way from an event to its row in the warehouse. */
export const pipelineReads: Consumption = {
  group: consumerGroup(departuresPerAirport.name),
  topic: flightDeparted.topic,
}
export const sinkReads: Consumption = {
  group: `connect-${departuresTable.name}`,
  topic: departuresPerAirport.result.topic,
}

/** How far both are behind. */
export async function lagOfFlow(admin: Admin): Promise<Lag> {
  return { pipeline: await lagOf(admin, pipelineReads), sink: await lagOf(admin, sinkReads) }
}
