import { type Duration, milliseconds } from './duration.ts'
import { type Fields, fieldsOf, type FieldsOf } from './field.ts'
import { type JsonObject, type JsonPointer, pointerTokens } from './json.ts'
import { nameViolation } from './topic-name.ts'

/** How a subject may evolve, in the Schema Registry's words. */
export type Compatibility = 'BACKWARD' | 'FORWARD' | 'FULL' | 'NONE'

/** One kind of event: what a producer may send, where it is stored and which of its fields have a meaning. */
export type EventType<F extends Fields = Fields> = {
  readonly kind: 'event-type'
  readonly name: string
  readonly topic: string
  readonly format: 'json'
  readonly schema: JsonObject
  readonly fields: F
  /** Where the record key is read from: equal keys keep their order. Absent: events are spread over all partitions. */
  readonly key: JsonPointer | undefined
  /** Where the event time is read from. Absent: the CloudEvents `time` attribute. */
  readonly time: JsonPointer | undefined
  readonly partitions: number
  readonly retentionMs: number
  readonly compatibility: Compatibility
}

export type EventTypeOptions<Schema extends JsonObject> = {
  readonly schema: Schema
  readonly key?: JsonPointer
  readonly time?: JsonPointer
  readonly partitions?: number
  readonly retention?: Duration
  readonly compatibility?: Compatibility
}

const partitionsDefault = 6
const retentionDefault: Duration = '7 days'

/**
 * Declares an event type whose payload is JSON, checked against a JSON Schema.
 * @throws RangeError when the name is reserved or malformed, a pointer names no scalar property of the schema, or a number is out of bounds.
 */
export function eventType<const Schema extends JsonObject>(
  name: string,
  options: EventTypeOptions<Schema>,
): EventType<FieldsOf<Schema>> {
  const violation = nameViolation(name)
  if (violation) throw new RangeError(`event type "${name}" ${violation}`)
  const partitions = options.partitions ?? partitionsDefault
  if (!Number.isSafeInteger(partitions) || partitions < 1) {
    throw new RangeError(`event type "${name}": partitions must be a whole number of at least 1`)
  }
  const fields = fieldsOf(options.schema)
  requireField(name, 'key', options.key, fields)
  requireField(name, 'time', options.time, fields)
  return {
    kind: 'event-type',
    name,
    topic: name,
    format: 'json',
    schema: options.schema,
    fields,
    key: options.key,
    time: options.time,
    partitions,
    retentionMs: milliseconds(options.retention ?? retentionDefault),
    compatibility: options.compatibility ?? 'BACKWARD',
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
