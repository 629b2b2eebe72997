import type { CatalogEntry } from '@millrace/core/catalog'
import type { PipelineDefinition } from '@millrace/core/pipeline-definition'

const common = {
  time: null,
  partitions: 3,
  retentionMs: 86_400_000,
  compacted: false,
  compatibility: 'BACKWARD',
  version: 1,
  references: [],
  sensitive: [],
} as const
const point = { type: 'object', properties: { next: { $ref: '#/definitions/point' } } }

/** What publishes results. */
export const summed = {
  name: 'summed',
  from: { name: 'line.drawn', topic: 'line.drawn', fields: {}, time: undefined },
  where: undefined,
  window: { kind: 'tumbling', sizeMs: 60_000, everyMs: 60_000 },
  watermark: { futureBoundMs: 3_600_000 },
  late: { kind: 'drop' },
  groupBy: {},
} as const satisfies PipelineDefinition

/** An event type of each format, of which one holds itself. */
export const catalog = [
  {
    ...common,
    type: 'line.drawn',
    format: 'json',
    topic: 'line.drawn',
    key: '/next',
    schemaId: 1,
    schema: { $id: 'urn:example:line', ...point, definitions: { point } },
  },
  {
    ...common,
    type: 'quake.recorded',
    format: 'avro',
    topic: 'quake.recorded',
    key: null,
    schemaId: 2,
    schema: {
      type: 'record',
      name: 'Quake',
      fields: [
        { name: 'magnitude', type: 'double', doc: 'Richter.' },
        { name: 'felt', type: ['null', 'int'], default: null },
      ],
    },
  },
  {
    ...common,
    type: 'weather.observed',
    format: 'protobuf',
    topic: 'weather',
    key: null,
    schemaId: 3,
    schema:
      'syntax = "proto3"; import "google/protobuf/timestamp.proto"; message Weather { google.protobuf.Timestamp seen_at = 1; oneof what { int64 rain = 2; bool sun = 3; } }',
  },
] as const satisfies readonly CatalogEntry[]
