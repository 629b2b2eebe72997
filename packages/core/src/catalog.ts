import type { Compatibility, DeclaredType, SchemaDocument, SchemaFormat, SchemaReference } from './event-type.ts'
import { isJsonObject, isPointer, type JsonPointer } from './json.ts'
import { isPipelineDefinition, type PipelineDefinition } from './pipeline-definition.ts'

/**
 * The compacted topic that every API instance follows: one record for each event type, its key the type's name, its value a
 * `CatalogEntry` as JSON; a record without a value, or with an empty one, takes the type away. It has one partition, so that its order is one.
 */
export const catalogTopic = 'millrace-catalog'

/** An event type as it runs: its definition, and what the Schema Registry made of its schema. */
export type CatalogEntry = {
  readonly type: string
  readonly format: SchemaFormat
  readonly topic: string
  readonly key: JsonPointer | null
  readonly time: JsonPointer | null
  readonly partitions: number
  readonly retentionMs: number
  /** Whether its topic keeps the newest event of each key for good. */
  readonly compacted: boolean
  readonly compatibility: Compatibility
  readonly schemaId: number
  readonly version: number
  readonly schema: SchemaDocument
  /** What the schema refers to, with the texts, so that an entry can be used while the Schema Registry is away. */
  readonly references: readonly ResolvedReference[]
  /** Where the data holds what must not be shown to everybody who may see that an event failed. */
  readonly sensitive: readonly JsonPointer[]
  /** What publishes events of the type, where a pipeline does that this version understands. */
  readonly pipeline?: PipelineDefinition | undefined
}

/** A reference with what it refers to. */
export type ResolvedReference = SchemaReference & {
  readonly schema: string
  /** It is what another reference refers to, not the schema itself. */
  readonly transitive?: boolean
}

/** What the Schema Registry made of an event type's schema. */
export type RegisteredAs = {
  readonly id: number
  readonly version: number
  readonly references: readonly ResolvedReference[]
}

/** The entry of an event type whose schema has been registered. */
export function catalogEntryOf(type: DeclaredType, registered: RegisteredAs): CatalogEntry {
  return {
    type: type.name,
    format: type.format,
    topic: type.topic,
    key: type.key ?? null,
    time: type.time ?? null,
    partitions: type.partitions,
    retentionMs: type.retentionMs,
    compacted: type.compacted,
    compatibility: type.compatibility,
    schemaId: registered.id,
    version: registered.version,
    schema: type.schema,
    references: registered.references,
    sensitive: type.sensitive,
    ...(type.pipeline && { pipeline: type.pipeline }),
  }
}

/** What an entry says of the type itself, as it was declared. */
export function declaredOf(entry: CatalogEntry): DeclaredType {
  const { type, format, topic, key, time, partitions, retentionMs, compacted, compatibility, schema } = entry
  const { sensitive, pipeline } = entry
  const references = entry.references.filter(({ transitive }) => transitive !== true)
  const pointers = { key: key ?? undefined, time: time ?? undefined, sensitive }
  const kept = { partitions, retentionMs, compacted }
  return { name: type, format, topic, ...kept, compatibility, schema, references, ...pointers, pipeline }
}

/** The entry that a record's value holds, or `undefined` when it is not one that this version understands. */
export function parseCatalogEntry(value: unknown): CatalogEntry | undefined {
  if (!isJsonObject(value)) return undefined
  const { type, format, topic, key, time, partitions, retentionMs, compatibility, schemaId, version, schema } = value
  const { compacted = false, references = [], sensitive = [], pipeline } = value
  if (typeof type !== 'string' || typeof topic !== 'string' || !isFormat(format)) return undefined
  if (!isPointerOrNull(key) || !isPointerOrNull(time) || !isCompatibility(compatibility)) return undefined
  if (!isCount(partitions) || !isCount(retentionMs) || !isCount(schemaId) || !isCount(version)) return undefined
  if (typeof compacted !== 'boolean') return undefined
  if (!isJsonObject(schema) && typeof schema !== 'string') return undefined
  if (!isListOf(references, isReference) || !isListOf(sensitive, isPointer)) return undefined
  const settings = { key, time, partitions, retentionMs, compacted, compatibility }
  const registered = { schemaId, version, schema, references, sensitive }
  // In the order of `catalogEntryOf`: by their text a plan tells whether two entries differ.
  return { type, format, topic, ...settings, ...registered, ...(isPipelineDefinition(pipeline) && { pipeline }) }
}

function isPointerOrNull(value: unknown): value is JsonPointer | null {
  return value === null || isPointer(value)
}

function isFormat(value: unknown): value is SchemaFormat {
  return value === 'json' || value === 'avro' || value === 'protobuf'
}

function isReference(value: unknown): value is ResolvedReference {
  if (!isJsonObject(value)) return false
  const { name, subject, version, schema } = value
  return typeof name === 'string' && typeof subject === 'string' && isCount(version) && typeof schema === 'string'
}

function isListOf<T>(value: unknown, is: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(is)
}

/** Whether something is a compatibility that a subject may have here. */
export function isCompatibility(value: unknown): value is Compatibility {
  return value === 'BACKWARD' || value === 'FORWARD' || value === 'FULL' || value === 'NONE'
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
