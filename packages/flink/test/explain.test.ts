/** What is told of the events behind a result, for pipelines and streams by chance: those that it was computed over. */
import { evaluatePipeline } from '@millrace/core/evaluate'
import { isEventOf, readResult } from '@millrace/core/explain'
import { isPipelineDefinition, pipelineDefinition } from '@millrace/core/pipeline-definition'
import { publishedProvenance, publishedResult } from '@millrace/core/published-result'
import { expect, test } from 'vitest'
import { casesOf } from './differential/generate.ts'

const utf8 = new TextEncoder()

/** As Flink writes it: a -0 keeps its sign, and an integer all of its digits. */
function written(data: Readonly<Record<string, string | number | bigint | boolean>>): Uint8Array {
  const members = Object.entries(data).map(([name, value]) => {
    const text = Object.is(value, -0) ? '-0.0' : typeof value === 'bigint' ? String(value) : JSON.stringify(value)
    return `${JSON.stringify(name)}:${text}`
  })
  return utf8.encode(`{${members.join()}}`)
}

test.each([1, 2, 3])('the events of a result are those that it counts (seed %i)', (seed) => {
  const seen = { results: 0, several: 0, between: 0 }
  for (const { pipeline, partitions, input } of casesOf(seed, 80)) {
    const definition: unknown = JSON.parse(JSON.stringify(pipelineDefinition(pipeline)))
    if (!isPipelineDefinition(definition)) throw new TypeError('the pipeline is not read back')
    const records = input.flatMap((next) => ('idlePartition' in next ? [] : [next]))
    const { results, open } = evaluatePipeline(pipeline, partitions, input)
    for (const result of [...results, ...open]) {
      const value = written(publishedResult(pipeline, result))
      const read = readResult(definition, { headers: publishedProvenance(result.provenance), value })
      // RFC 3339 has no years before 0.
      if (result.windowStartMs < Date.parse('0000-01-01T00:00:00Z')) continue
      expect(read).toMatchObject({ groups: result.groups, provenance: result.provenance })
      const found = records.filter((record) => read && isEventOf(definition, read, record))
      if (pipeline.window.kind === 'session') expect(found.length).toBeGreaterThanOrEqual(result.provenance.events)
      else expect(found).toHaveLength(result.provenance.events)
      const offsets = [...result.provenance.offsets.values()]
      const within = records.filter(({ partition, offset }) => {
        const [first = Infinity, last = -Infinity] = result.provenance.offsets.get(partition) ?? []
        return first <= offset && offset <= last
      })
      seen.results += 1
      if (offsets.some(([first, last]) => last > first)) seen.several += 1
      if (within.length > found.length) seen.between += 1
    }
  }
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50)
})
