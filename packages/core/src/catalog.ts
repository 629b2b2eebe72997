import type { Compatibility, EventType } from './event-type.ts'
import { isJsonObject, type JsonObject, type JsonPointer } from './json.ts'

/**
 * The compacted topic that every API instance follows: one record for each event type, its key the type's name, its value a
 * `CatalogEntry` as JSON; a record without a value takes the type away. It has one partition, so that its order is one.
 */
export const catalogTopic = 'millrace-catalog'

/** An event type as it runs: its definition, and what the Schema Registry made of its schema. */
export type CatalogEntry = {
  readonly type: string
  readonly format: 'json'
  readonly topic: string
  readonly key: JsonPointer | null
  readonly time: JsonPointer | null
  readonly partitions: number
  readonly retentionMs: number
  readonly compatibility: Compatibility
  readonly schemaId: number
  readonly version: number
  readonly schema: JsonObject
}

/** The entry of an event type whose schema has been registered. */
export function catalogEntryOf(
  type: EventType,
  registered: { readonly id: number; readonly version: number },
): CatalogEntry {
  return {
    type: type.name,
    format: type.format,
    topic: type.topic,
    key: type.key ?? null,
    time: type.time ?? null,
    partitions: type.partitions,
    retentionMs: type.retentionMs,
    compatibility: type.compatibility,
    schemaId: registered.id,
    version: registered.version,
    schema: type.schema,
  }
}

/** The entry that a record's value holds, or `undefined` when it is not one that this version understands. */
export function parseCatalogEntry(value: unknown): CatalogEntry | undefined {
  if (!isJsonObject(value)) return undefined
  const { type, format, topic, key, time, partitions, retentionMs, compatibility, schemaId, version, schema } = value
  if (typeof type !== 'string' || typeof topic !== 'string' || format !== 'json') return undefined
  if (!isPointerOrNull(key) || !isPointerOrNull(time) || !isCompatibility(compatibility)) return undefined
  if (!isCount(partitions) || !isCount(retentionMs) || !isCount(schemaId) || !isCount(version)) return undefined
  if (!isJsonObject(schema)) return undefined
  return { type, format, topic, key, time, partitions, retentionMs, compatibility, schemaId, version, schema }
}

function isPointerOrNull(value: unknown): value is JsonPointer | null {
  return value === null || (typeof value === 'string' && (value === '' || value.startsWith('/')))
}

function isCompatibility(value: unknown): value is Compatibility {
  return value === 'BACKWARD' || value === 'FORWARD' || value === 'FULL' || value === 'NONE'
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
