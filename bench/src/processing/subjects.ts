/** Who is measured at what. */
import type { Engine } from './engine.ts'
import { type Work, works } from './platform.ts'
import type { SubjectName } from './report.ts'

export type Subject = { readonly name: SubjectName; readonly engine: Engine; readonly works: readonly Work[] }

/**
 * Each work by each engine; and both by one Kafka Streams program, which reads the topic once for them. Two jobs side by side cost what they cost one
 * by one, so that is not measured again.
 */
export function subjectsOf(flink: Engine, streams: Engine, streamsWithOneThread: Engine): readonly Subject[] {
  const alone = works.flatMap((work): Subject[] => [
    { name: 'flink', engine: flink, works: [work] },
    { name: 'streams', engine: streams, works: [work] },
    { name: 'streams-1', engine: streamsWithOneThread, works: [work] },
  ])
  return [...alone, { name: 'streams', engine: streams, works }]
}
