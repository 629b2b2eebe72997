import type { Pipeline } from '@millrace/core/pipeline'
import type { Admin } from '@millrace/kafka/admin'
import { consumerGroup } from '@millrace/flink/kafka-names'
import { type Consumption, lagOf } from './backlog.ts'
import { departuresPerAirport } from './pipelines.ts'
import { departuresTable } from './platform.ts'
import type { Lag } from './summary.ts'

const sinkReads: Consumption = {
  group: `connect-${departuresTable.name}`,
  topic: departuresPerAirport.result.topic,
}

/** The groups that read on the ways from an event to its results, and to their rows in the warehouse. */
export function flowOf(pipelines: readonly Pipeline[]): readonly Consumption[] {
  return [...pipelines.map(readsOf), sinkReads]
}

/** How far they are behind. */
export async function lagOfFlow(admin: Admin, pipelines: readonly Pipeline[]): Promise<Lag> {
  const lags = await Promise.all(pipelines.map((pipeline) => lagOf(admin, readsOf(pipeline))))
  return { pipelines: Math.max(...lags), sink: await lagOf(admin, sinkReads) }
}

function readsOf({ name, from }: Pipeline): Consumption {
  return { group: consumerGroup(name), topic: from.topic }
}
