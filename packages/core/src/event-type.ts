import { type Duration, milliseconds } from './duration.ts'
import { type Fields, fieldsOf, type FieldsOf } from './field.ts'
import { type JsonObject, type JsonPointer, pointerTokens } from './json.ts'
import type { PipelineDefinition } from './pipeline-definition.ts'
import { nameViolation } from './topic-name.ts'

/** How a subject may evolve, in the Schema Registry's words. */
export type Compatibility = 'BACKWARD' | 'FORWARD' | 'FULL' | 'NONE'

/** The languages in which a payload's schema may be written; each has its own encoding on Kafka. */
export type SchemaFormat = 'json' | 'avro' | 'protobuf'

/** A schema in its own language: a JSON Schema or an Avro schema as JSON, a `.proto` file as text. */
export type SchemaDocument = JsonObject | string

/** Another subject's version that a schema refers to, under the name by which it refers to it. */
export type SchemaReference = { readonly name: string; readonly subject: string; readonly version: number }

/** A schema as text, as the Schema Registry keeps it. */
export function schemaText(schema: SchemaDocument): string {
  return typeof schema === 'string' ? schema : JSON.stringify(schema)
}

/** One kind of event: what a producer may send, where it is stored and which of its fields have a meaning. */
export type EventType<F extends Fields = Fields, Schema extends SchemaDocument = SchemaDocument> = {
  readonly kind: 'event-type'
  readonly name: string
  readonly topic: string
  readonly format: SchemaFormat
  readonly schema: Schema
  readonly references: readonly SchemaReference[]
  readonly fields: F
  /** Where the record key is read from: equal keys keep their order. Absent: events are spread over all partitions. */
  readonly key: JsonPointer | undefined
  /** Where the event time is read from. Absent: the CloudEvents `time` attribute. */
  readonly time: JsonPointer | undefined
  readonly partitions: number
  readonly retentionMs: number
  /** Whether its topic keeps the newest event of each key for good, and those before it only until they are compacted away. */
  readonly compacted: boolean
  readonly compatibility: Compatibility
  /** Where the data holds what must not be shown to everybody who may see that an event failed. */
  readonly sensitive: readonly JsonPointer[]
}

/** An event type as what must be made of it sees it: declared in a definition, or through the API. */
export type DeclaredType = Omit<EventType, 'kind' | 'fields'> & {
  /** What publishes events of the type, where a pipeline does. */
  readonly pipeline?: PipelineDefinition | undefined
}

export type EventTypeOptions<Schema extends SchemaDocument> = {
  /** JSON unless said. */
  readonly format?: SchemaFormat
  readonly schema: Schema
  /** What the schema refers to in other subjects of the Schema Registry. */
  readonly references?: readonly SchemaReference[]
  readonly key?: JsonPointer
  readonly time?: JsonPointer
  readonly partitions?: number
  readonly retention?: Duration
  /**
   * Keep the newest event of each key for good, instead of all of them for the retention: a table, which pipelines can join. It needs a key.
   * @default false
   */
  readonly compacted?: boolean
  readonly compatibility?: Compatibility
  readonly sensitive?: readonly JsonPointer[]
}

/** What an event type has unless it says otherwise. */
export const partitionsDefault = 6
export const compatibilityDefault: Compatibility = 'BACKWARD'
const retentionDefault: Duration = '7 days'
export const retentionMsDefault = milliseconds(retentionDefault)

/**
 * Declares an event type. Its payload is checked against a JSON Schema, an Avro schema or a Protobuf file. Pipelines and sinks take
 * their fields from a JSON Schema alone.
 * @throws RangeError when the name is reserved or malformed, a pointer names no scalar property of the schema, or a number is out of bounds.
 */
export function eventType<const Schema extends SchemaDocument>(
  name: string,
  options: EventTypeOptions<Schema>,
): EventType<FieldsOf<Schema>, Schema> {
  const violation = nameViolation(name)
  if (violation) throw new RangeError(`event type "${name}" ${violation}`)
  const partitions = options.partitions ?? partitionsDefault
  if (!Number.isSafeInteger(partitions) || partitions < 1) {
    throw new RangeError(`event type "${name}": partitions must be a whole number of at least 1`)
  }
  const { format = 'json', schema } = options
  if ((format === 'protobuf') !== (typeof schema === 'string')) {
    throw new RangeError(
      `event type "${name}": a schema is the text of a .proto file in Protobuf, and JSON in JSON and Avro`,
    )
  }
  const fields = fieldsOf(schema)
  if (format === 'json') {
    requireField(name, 'key', options.key, fields)
    requireField(name, 'time', options.time, fields)
  }
  const { compacted = false } = options
  if (compacted && !alwaysHas(fields, options.key)) {
    throw new RangeError(
      `event type "${name}" is compacted, which keeps the newest event of each key: give it a key that every event has, a required property`,
    )
  }
  return {
    kind: 'event-type',
    name,
    topic: name,
    format,
    schema,
    references: options.references ?? [],
    fields,
    key: options.key,
    time: options.time,
    partitions,
    retentionMs: milliseconds(options.retention ?? retentionDefault),
    compacted,
    compatibility: options.compatibility ?? compatibilityDefault,
    sensitive: options.sensitive ?? [],
  }
}

function requireField(type: string, role: 'key' | 'time', pointer: JsonPointer | undefined, fields: Fields): void {
  if (pointer === undefined) return
  const [name, ...rest] = pointerTokens(pointer)
  const field = name === undefined || rest.length > 0 ? undefined : fields[name]
  if (!field) throw new RangeError(`event type "${type}": ${role} "${pointer}" names no scalar property of its schema`)
  if (role === 'time' && field.type !== 'timestamp') {
    throw new RangeError(`event type "${type}": time "${pointer}" must be a string with format "date-time"`)
  }
}

function alwaysHas(fields: Fields, pointer: JsonPointer | undefined): boolean {
  const [name = ''] = pointer === undefined ? [] : pointerTokens(pointer)
  return fields[name]?.nullable === false
}
