import type { Admin } from '@millrace/kafka/admin'
import { consumerGroup } from '@millrace/flink/kafka-names'
import { type Consumption, lagOf } from './backlog.ts'
import { departuresPerAirport, pipelines } from './pipelines.ts'
import { departuresTable } from './platform.ts'
import type { Lag } from './summary.ts'

const pipelineReads: readonly Consumption[] = pipelines.map(({ name, from }) => {
  return { group: consumerGroup(name), topic: from.topic }
})
const sinkReads: Consumption = {
  group: `connect-${departuresTable.name}`,
  topic: departuresPerAirport.result.topic,
}

/** The groups that read on the ways from an event to its results, and to their rows in the warehouse. */
export const flow: readonly Consumption[] = [...pipelineReads, sinkReads]

/** How far they are behind. */
export async function lagOfFlow(admin: Admin): Promise<Lag> {
  const lags = await Promise.all(pipelineReads.map((reads) => lagOf(admin, reads)))
  return { pipelines: Math.max(...lags), sink: await lagOf(admin, sinkReads) }
}
