import type { CatalogEntry } from '@millrace/core/catalog'
import type { SchemaDocument, SchemaFormat } from '@millrace/core/event-type'
import { MillraceError } from '@millrace/core/errors'
import { isJsonValue, type JsonObject, type JsonValue } from '@millrace/core/json'
import { compileCodec } from '@millrace/schemas/compile-codec'
import { parseExactJson } from '@millrace/schemas/exact-json'
import type { CachedSchema } from '@millrace/schemas/schema-cache'
import { frame } from '@millrace/schemas/wire-format'
import { describe, expect, test } from 'vitest'
import type { KnownSchemas } from '../src/patience.ts'
import { createPayloads, encodingOf, type Taken } from '../src/payloads.ts'

const record = (...fields: JsonObject[]): JsonObject => ({ type: 'record', name: 'Reading', fields })
const station = { name: 'station', type: 'string' }
const celsius = { name: 'celsius', type: 'double', default: 0 }
const avro = record(station, celsius)
const avroBefore = record(station)
const protobuf = 'syntax = "proto3"; message Reading { string station = 1; double celsius = 2; }'
const protobufBefore = 'syntax = "proto3"; message Reading { string station = 1; }'
const json = { type: 'object', required: ['station'], properties: { station: { type: 'string' } } }
const [current, former, foreign, unheardOf] = [7, 5, 6, 99]

function entryOf(format: SchemaFormat, schema: SchemaDocument): CatalogEntry {
  return {
    type: 'reading.taken',
    format,
    topic: 'readings',
    key: null,
    time: null,
    partitions: 1,
    retentionMs: 1,
    compacted: false,
    compatibility: 'BACKWARD',
    schemaId: current,
    version: 2,
    schema,
    references: [],
    sensitive: [],
  }
}

function schemaOf(id: number, format: SchemaFormat, schema: SchemaDocument, subject = 'readings-value'): CachedSchema {
  return { id, format, schema, references: [], subjects: [subject] }
}

/** A registry of some schemas, of which those are known that were asked for. */
function cacheOf(...schemas: CachedSchema[]): KnownSchemas {
  const seen = new Map<number, CachedSchema>()
  return {
    known: (id) => seen.get(id),
    byId: (id) => {
      const found = schemas.find((schema) => schema.id === id)
      if (found) seen.set(id, found)
      return Promise.resolve(found)
    },
  }
}

const hanging: KnownSchemas = { known: () => undefined, byId: () => new Promise(() => undefined) }
const away: KnownSchemas = {
  known: () => undefined,
  byId: () => Promise.reject(new MillraceError('registry.unavailable', 'the registry is away')),
}

const codecs = { codec: compileCodec }

function encoded(format: SchemaFormat, schema: SchemaDocument, data: JsonValue): Buffer {
  const coded = compileCodec({ format, schema, references: [] }).fromJson(data)
  if (!coded.ok) throw new Error('the data fits')
  return coded.value
}

function stored(taken: Taken) {
  if (taken.ok) return { value: taken.value, data: taken.data, schemaId: taken.schemaId }
  throw new Error(JSON.stringify(taken.problem))
}

const refusal = (taken: Taken) => (taken.ok ? undefined : taken.problem)
const messageIndexes = [0]

describe.each([
  ['avro', avro, avroBefore],
  ['protobuf', protobuf, protobufBefore],
] as const)('data of a type in %s', (format, schema, before) => {
  const entry = entryOf(format, schema)
  const data = { station: 'Zürich', celsius: 4 }
  const bare = encoded(format, schema, data)
  const framed = frame(format, { schemaId: current, messageIndexes, payload: bare })
  const old = encoded(format, before, { station: 'Bern' })
  const oldFramed = frame(format, { schemaId: former, messageIndexes, payload: old })
  const cache = () => cacheOf(schemaOf(former, format, before), schemaOf(foreign, format, before, 'other-value'))

  test('is kept in a frame, whether it comes as JSON, bare or framed', async () => {
    const { take } = createPayloads(codecs, away)
    const kept = { value: framed, data, schemaId: current }
    expect(stored(await take(entry, { data, plain: true }))).toEqual(kept)
    for (const bytes of [bare, framed]) {
      expect(stored(await take(entry, { bytes, encoding: format }))).toEqual(kept)
      expect(stored(await take(entry, { bytes, encoding: 'own' }))).toEqual(kept)
    }
    expect(stored(await take(entry, { bytes: Buffer.from(JSON.stringify(data)), encoding: 'json' }))).toEqual(kept)
  })

  test('that another version wrote keeps its bytes and its id, and is seen as the current one sees it', async () => {
    const { take } = createPayloads(codecs, cache())
    const kept = { value: oldFramed, data: { station: 'Bern', celsius: 0 }, schemaId: former }
    const first = take(entry, { bytes: oldFramed, encoding: format })
    expect(first).toBeInstanceOf(Promise) // the registry is asked
    expect(stored(await first)).toEqual(kept)
    const second = take(entry, { bytes: oldFramed, encoding: format })
    expect(second).not.toBeInstanceOf(Promise) // and never again
    expect(stored(await second)).toEqual(kept)
  })

  test('in a frame of another subject, or of no schema, is 422', async () => {
    const { take } = createPayloads(codecs, cache())
    const other = frame(format, { schemaId: foreign, messageIndexes, payload: old })
    const ofOther = refusal(await take(entry, { bytes: other, encoding: format }))
    expect(ofOther?.status).toBe(422)
    expect(ofOther?.detail).toContain('is not of the subject readings-value')
    const unknown = frame(format, { schemaId: unheardOf, messageIndexes, payload: bare })
    const ofUnknown = refusal(await take(entry, { bytes: unknown, encoding: format }))
    expect(ofUnknown?.status).toBe(422)
    expect(ofUnknown?.detail).toContain('99')
  })

  test('in an unknown frame waits for the registry, and fails with it; all else does without it', async () => {
    const { take } = createPayloads(codecs, away)
    await expect(take(entry, { bytes: oldFramed, encoding: format })).rejects.toThrow('the registry is away')
    const broken = await take(entry, { bytes: Buffer.from([1]), encoding: format })
    expect(refusal(broken)).toMatchObject({ status: 422 })
  })

  test('that does not fit is 422 with a pointer, and 415 in a format of another', async () => {
    const { take } = createPayloads(codecs, cache())
    expect(refusal(await take(entry, { data: { station: 7 }, plain: true }))).toMatchObject({
      status: 422,
      errors: [{ pointer: '/station' }],
    })
    const cut = framed.subarray(0, -1)
    expect(refusal(await take(entry, { bytes: cut, encoding: format }))).toMatchObject({ status: 422 })
    const other = format === 'avro' ? 'protobuf' : 'avro'
    expect(refusal(await take(entry, { bytes: bare, encoding: other }))).toMatchObject({ status: 415 })
    expect(refusal(await take(entry, { bytes: Buffer.from('{'), encoding: 'json' }))).toMatchObject({ status: 400 })
  })

  test('is read from its record, by the version that wrote it', async () => {
    const { read } = createPayloads(codecs, cache())
    const headers = new Map([['content-type', `application/${format}`]])
    expect(await read(entry, headers, framed)).toEqual(data)
    expect(await read(entry, headers, oldFramed)).toEqual({ station: 'Bern', celsius: 0 })
    expect(await read(undefined, headers, oldFramed)).toEqual({ station: 'Bern' })
    expect(await read(entry, headers, bare)).toBeUndefined()
    expect(await createPayloads(codecs, away).read(entry, headers, oldFramed)).toBeUndefined()
    expect(await createPayloads(codecs, hanging).readLive(entry, headers, oldFramed)).toBeUndefined()
    expect(await createPayloads(codecs, cache()).readLive(entry, headers, oldFramed)).toBeDefined()
  })
})

test('a bare Avro body that begins with zero is not mistaken for a frame', async () => {
  const nullable = record({ name: 'note', type: ['null', 'string'] }, station)
  const data = { note: null, station: 'Chur' }
  const bare = encoded('avro', nullable, data)
  expect(bare[0]).toBe(0)
  const { take } = createPayloads(codecs, away)
  expect(stored(await take(entryOf('avro', nullable), { bytes: bare, encoding: 'avro' })).data).toEqual(data)
})

describe('data of a JSON type', () => {
  const entry = entryOf('json', json)
  const { take, read } = createPayloads(codecs, away)

  test('is kept as plain JSON, framed or not', async () => {
    const data = { station: 'Chur' }
    const kept = { value: Buffer.from(JSON.stringify(data)), data, schemaId: current }
    const bytes = Buffer.from(JSON.stringify(data, undefined, 2))
    expect(stored(await take(entry, { data, plain: true }))).toEqual(kept)
    expect(stored(await take(entry, { bytes, encoding: 'own' }))).toEqual(kept)
    const framed = frame('json', { schemaId: current, messageIndexes, payload: bytes })
    expect(stored(await take(entry, { bytes: framed, encoding: 'json' }))).toEqual(kept)
  })

  test('is refused where it cannot be kept: an integer beyond 2^53, a name given twice', async () => {
    for (const text of ['{"station":"a","n":9007199254740993}', '{"station":"a","station":"b"}']) {
      const parsed = parseExactJson(Buffer.from(text))
      if (!parsed.ok || !isJsonValue(parsed.value)) throw new Error('it is JSON')
      expect(refusal(await take(entry, { data: parsed.value, plain: parsed.plain }))).toMatchObject({ status: 400 })
      expect(refusal(await take(entry, { bytes: Buffer.from(text), encoding: 'own' }))).toMatchObject({ status: 400 })
    }
  })

  test('is no bytes of another format', async () => {
    expect(refusal(await take(entry, { bytes: Buffer.from([2]), encoding: 'avro' }))).toMatchObject({ status: 415 })
  })

  test('is read from its record', () => {
    expect(read(entry, new Map(), Buffer.from('{"a":1}'))).toEqual({ a: 1 })
    expect(read(undefined, new Map([['content-type', 'application/json']]), Buffer.from('{'))).toBeUndefined()
  })
})

test.each([
  ['application/json; charset=utf-8', 'json'],
  ['Application/Avro', 'avro'],
  ['avro/binary', 'avro'],
  ['application/x-protobuf', 'protobuf'],
  ['text/plain', undefined],
  ['', undefined],
])('%s stands for %s', (mediaType, encoding) => {
  expect(encodingOf(mediaType)).toBe(encoding)
})

test('JSON that says a thing twice is no data of any format, wherever a mark of that would fit', async () => {
  const maps = record({ name: 'maps', type: { type: 'map', values: { type: 'map', values: 'string' } } })
  const { take } = createPayloads(codecs, away)
  const bytes = Buffer.from('{"maps":{"a":{"x":"1"},"a":{"x":"2"}}}')
  expect(refusal(await take(entryOf('avro', maps), { bytes, encoding: 'json' }))).toMatchObject({
    status: 400,
    errors: [{ pointer: '/data/maps/a' }],
  })
})
