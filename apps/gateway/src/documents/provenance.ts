import type { JsonObject } from '@millrace/core/json'
import type { PipelineDefinition } from '@millrace/core/pipeline-definition'
import { provenanceHeaders } from '@millrace/core/provenance'

/** What a result says of how it came about; on Kafka each is a header. */
export const provenance = {
  revision: {
    description: 'Of two results of a window and group, the one with the greater revision replaces the other.',
  },
  counted: { description: 'How many events it is computed over.' },
  late: { description: 'How many of them came after their window had closed.' },
  filtered: {
    description: 'How many events of its window and group the filter took out while it was open; not of sessions.',
  },
  offsets: {
    description: 'Where the events are: `0:12-40,2:7-7`, the first and the last offset by partition of the source.',
  },
} as const satisfies Readonly<Record<keyof typeof provenanceHeaders, JsonObject>>

/** The headers that results have beside those of any event. */
export function provenanceProperties({ window, late }: PipelineDefinition): JsonObject {
  const whole = { type: 'string', pattern: '^[0-9]+$' }
  const { revision, counted, filtered, offsets } = provenanceHeaders
  return {
    [revision]: { ...(late.kind === 'correct' ? whole : { const: '1' }), ...provenance.revision },
    [counted]: { ...whole, ...provenance.counted },
    [provenanceHeaders.late]: { ...(late.kind === 'correct' ? whole : { const: '0' }), ...provenance.late },
    ...(window.kind !== 'session' && { [filtered]: { ...whole, ...provenance.filtered } }),
    [offsets]: { type: 'string', pattern: '^[0-9]+:[0-9]+-[0-9]+(,[0-9]+:[0-9]+-[0-9]+)*$', ...provenance.offsets },
  }
}
