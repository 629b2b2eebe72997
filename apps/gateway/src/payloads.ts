/**
 * What producers send as data, and what Kafka keeps of it. JSON types are kept as plain JSON; Avro and Protobuf in the registry's frame,
 * with the id of the schema that they were written with, byte for byte as they were sent.
 *
 * Whether bytes are framed cannot be told from them for sure, so this is the rule: bytes that begin with zero, name a known schema
 * of the type's subject and fit it are framed; else what fits the type's schema as it stands is bare; else the registry is asked
 * for the schema that they name. So a bare body never waits for the registry, and a frame is only mistaken for a bare body where its
 * version was never seen here and its bytes fit the schema from the first zero to the last byte.
 */
import type { CatalogEntry } from '@millrace/core/catalog'
import type { Violation } from '@millrace/core/cloud-event'
import type { SchemaFormat } from '@millrace/core/event-type'
import { isJsonValue, type JsonValue } from '@millrace/core/json'
import { contentTypes } from '@millrace/core/kafka-binding'
import { valueSubject } from '@millrace/core/topic-name'
import type { Coded, Decode } from '@millrace/schemas/codec'
import { createDecoders, type Decoders, isVersionOf } from '@millrace/schemas/decoders'
import { inputViolation, jsonViolation, parseExactJson } from '@millrace/schemas/exact-json'
import type { CachedSchema } from '@millrace/schemas/schema-cache'
import { type Framed, framedPayload, unframe } from '@millrace/schemas/wire-format'
import type { EventTypes } from './event-types.ts'
import { mediaTypeOf } from './media-type.ts'
import { impatient, type KnownSchemas } from './patience.ts'
import { type Problem, problem } from './problem.ts'

/** Data as it came: JSON that is parsed already, or bytes in the encoding that they are said to have. */
export type Payload =
  | {
      /** May hold what JSON cannot keep (`ExactInteger`), unless `plain`. */
      readonly data: JsonValue
      readonly plain: boolean
    }
  | {
      readonly bytes: Buffer
      /** `own` is that of the event type. */
      readonly encoding: SchemaFormat | 'own'
    }

/** Data that Kafka may keep. */
export type Taken =
  | {
      readonly ok: true
      /** As Kafka keeps it. */
      readonly value: Buffer
      readonly data: JsonValue
      /** Of the schema that it was written with. */
      readonly schemaId: number
    }
  | { readonly ok: false; readonly problem: Problem }

export type Payloads = {
  /** Checks data against its type's schema. Waits for the registry only where bytes name a schema that was never seen here. */
  readonly take: (entry: CatalogEntry, payload: Payload) => Taken | Promise<Taken>
  /** A record's value as JSON; `undefined` where it cannot be read, or not now. */
  readonly read: (
    entry: CatalogEntry | undefined,
    headers: ReadonlyMap<string, string>,
    value: Buffer,
  ) => JsonValue | undefined | Promise<JsonValue | undefined>
  /** The same, but where the schema does not come soon it cannot be read now. */
  readonly readLive: Payloads['read']
}

/** The encoding that a media type stands for, or `undefined` for one that no type of event is sent in. */
export function encodingOf(contentType: string): SchemaFormat | undefined {
  switch (mediaTypeOf(contentType)) {
    case 'application/json':
      return 'json'
    case 'application/avro':
    case 'avro/binary':
      return 'avro'
    case 'application/protobuf':
    case 'application/x-protobuf':
      return 'protobuf'
    default:
      return undefined
  }
}

export function createPayloads(eventTypes: Pick<EventTypes, 'codec'>, cache: KnownSchemas): Payloads {
  const decoders = createDecoders(eventTypes.codec)

  function take(entry: CatalogEntry, payload: Payload): Taken | Promise<Taken> {
    if ('data' in payload) return takeJson(entry, payload.data, payload.plain)
    const { bytes } = payload
    const encoding = payload.encoding === 'own' ? entry.format : payload.encoding
    if (encoding !== 'json' && encoding !== entry.format) return refused(mismatch(entry, encoding))
    // JSON itself begins with no zero, so this is no question there.
    return encoding === 'json' && (entry.format !== 'json' || bytes[0] !== 0)
      ? takeJsonText(entry, bytes)
      : takeBytes(entry, bytes)
  }

  function takeJsonText(entry: CatalogEntry, bytes: Buffer): Taken {
    const parsed = parseExactJson(bytes)
    if (!parsed.ok || !isJsonValue(parsed.value)) {
      return refused(problem(400, `the data ${parsed.ok ? 'is not JSON' : parsed.detail}`))
    }
    const unstorable = parsed.plain ? undefined : inputViolation(parsed.value, ['data'])
    return unstorable ? refused(notKept(unstorable)) : takeJson(entry, parsed.value, parsed.plain)
  }

  function takeJson(entry: CatalogEntry, data: JsonValue, plain: boolean): Taken {
    const lost = plain || entry.format !== 'json' ? undefined : jsonViolation(data, ['data'])
    if (lost) return refused(notKept(lost))
    const coded = eventTypes.codec(entry).fromJson(data)
    return coded.ok ? bare(entry, coded.value, coded.data) : misfit(entry, coded)
  }

  function takeBytes(entry: CatalogEntry, bytes: Buffer): Taken | Promise<Taken> {
    const codec = eventTypes.codec(entry)
    const framed = unframe(entry.format, bytes)
    const decode = framed && decoderNow(entry, framed.schemaId)
    const inFrame = decode?.(framed?.payload ?? bytes, framed?.messageIndexes)
    if (framed && inFrame?.ok) return keepFrame(entry, framed, bytes, inFrame)
    const asBare = codec.fromBytes(bytes)
    if (asBare.ok) return bare(entry, bytes, asBare.data)
    if (inFrame) return misfit(entry, inFrame)
    return framed ? takeUnknown(entry, framed, bytes) : misfit(entry, asBare)
  }

  /** Without a wait: the decoder of a version that is known here to be one of the type. */
  function decoderNow(entry: CatalogEntry, id: number): Decode | undefined {
    if (id === entry.schemaId) return eventTypes.codec(entry).fromBytes
    const schema = cache.known(id)
    return schema && isVersionOf(schema, entry) ? decoders.ofVersion(entry, schema) : undefined
  }

  async function takeUnknown(entry: CatalogEntry, framed: Framed, bytes: Buffer): Promise<Taken> {
    const schema = await cache.byId(framed.schemaId, valueSubject(entry.topic))
    const subject = valueSubject(entry.topic)
    if (!schema) {
      return refused(problem(422, `the data is neither bare nor framed: no schema has the id ${framed.schemaId}`))
    }
    if (!isVersionOf(schema, entry)) {
      return refused(problem(422, `the schema ${framed.schemaId} in the data's frame is not of the subject ${subject}`))
    }
    const coded = decoders.ofVersion(entry, schema)(framed.payload, framed.messageIndexes)
    return coded.ok ? keepFrame(entry, framed, bytes, coded) : misfit(entry, coded)
  }

  return {
    take,
    read: createRead(eventTypes, cache, decoders),
    readLive: createRead(eventTypes, impatient(cache), decoders),
  }
}

function createRead(eventTypes: Pick<EventTypes, 'codec'>, cache: KnownSchemas, decoders: Decoders): Payloads['read'] {
  const decoded = (entry: CatalogEntry | undefined, schema: CachedSchema, { payload, messageIndexes }: Framed) => {
    const decode = entry && isVersionOf(schema, entry) ? decoders.ofVersion(entry, schema) : decoders.ofSchema(schema)
    return dataOf(decode(payload, messageIndexes))
  }
  return (entry, headers, value) => {
    const format = encodingOf(headers.get('content-type') ?? '') ?? entry?.format ?? 'json'
    const framed = format === 'json' ? undefined : unframe(format, value)
    if (!framed) return format === 'json' ? parsedJson(value) : undefined
    if (entry?.format === format && framed.schemaId === entry.schemaId) {
      return dataOf(eventTypes.codec(entry).fromBytes(framed.payload, framed.messageIndexes))
    }
    const schema = cache.known(framed.schemaId)
    if (schema) return schema.format === format ? decoded(entry, schema, framed) : undefined
    return cache.byId(framed.schemaId).then(
      (found) => (found?.format === format ? decoded(entry, found, framed) : undefined),
      () => undefined,
    )
  }
}

function dataOf(coded: Coded): JsonValue | undefined {
  return coded.ok ? coded.data : undefined
}

function parsedJson(value: Buffer): JsonValue | undefined {
  // Whoever wrote it: what could not be taken in is shown by its bytes, since what else would be shown would be something else.
  const parsed = parseExactJson(value)
  if (!parsed.ok || !isJsonValue(parsed.value)) return undefined
  return parsed.plain || !jsonViolation(parsed.value, ['data']) ? parsed.value : undefined
}

function bare({ format, schemaId }: CatalogEntry, payload: Buffer, data: JsonValue): Taken {
  return { ok: true, value: framedPayload(format, schemaId, payload), data, schemaId }
}

function keepFrame(
  { format }: CatalogEntry,
  { schemaId }: Framed,
  bytes: Buffer,
  coded: Extract<Coded, { ok: true }>,
): Taken {
  return { ok: true, value: format === 'json' ? coded.value : bytes, data: coded.data, schemaId }
}

/** JSON that would lose something, or that takes too long to read. */
export function notKept(violation: Violation): Problem {
  return problem(400, 'the event cannot be kept as it is', { errors: [violation] })
}

function misfit({ type }: CatalogEntry, coded: Coded): Taken {
  const errors = coded.ok ? [] : coded.violations
  return refused(problem(422, `the data does not fit the schema of ${type}`, { errors }))
}

function mismatch({ type, format }: CatalogEntry, encoding: SchemaFormat): Problem {
  const fitting = format === 'json' ? contentTypes.json : `${contentTypes[format]} or ${contentTypes.json}`
  return problem(415, `${type} is sent as ${fitting}, not as ${contentTypes[encoding]}`)
}

function refused(told: Problem): Taken {
  return { ok: false, problem: told }
}
