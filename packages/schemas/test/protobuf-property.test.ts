import { isJsonObject, isJsonValue, type JsonObject, type JsonValue } from '@millrace/core/json'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { parse, type Type } from 'protobufjs'
import { expect, test } from 'vitest'
import type { Codec } from '../src/codec.ts'
import { compileCodec } from '../src/compile-codec.ts'
import { dataShape } from '../src/data-shape.ts'
import { violationsMax } from '../src/json-schema.ts'

type FieldSpec = {
  type: string
  shape: 'plain' | 'optional' | 'repeated' | 'map' | 'oneof'
  key: string
  number: number
}
type Spec = readonly (readonly FieldSpec[])[]

const small = (bits: number, signed: boolean) => ({
  min: signed ? -(2 ** (bits - 1)) : 0,
  max: signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1,
})
const wide = (signed: boolean) =>
  (signed ? fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) : fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })).map(
    String,
  )
const signed32 = fc.oneof(fc.integer(small(32, true)), fc.integer({ min: -2, max: 300 }))
const unsigned32 = fc.oneof(fc.integer(small(32, false)), fc.integer({ min: 0, max: 300 }))
const finite = { noNaN: true, noDefaultInfinity: true }
const special = fc.constantFrom('NaN', 'Infinity', '-Infinity')

const values: Record<string, fc.Arbitrary<JsonValue>> = {
  int32: signed32,
  sint32: signed32,
  sfixed32: signed32,
  uint32: unsigned32,
  fixed32: unsigned32,
  int64: wide(true),
  sint64: wide(true),
  sfixed64: wide(true),
  uint64: wide(false),
  fixed64: wide(false),
  float: fc.oneof(fc.float(finite), special),
  double: fc.oneof(fc.double(finite), special),
  bool: fc.boolean(),
  string: fc.string({ unit: 'grapheme' }),
  bytes: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
  E: fc.constantFrom('ZERO', 'ONE', 'MINUS', 77),
}
const keys: Record<string, fc.Arbitrary<string>> = {
  string: fc.oneof(fc.string(), fc.constant('__proto__')),
  bool: fc.constantFrom('true', 'false'),
  int32: signed32.map(String),
  fixed64: wide(false),
  sint64: wide(true),
}

const messages = 3
const names = [...Object.keys(values), ...Array.from({ length: messages }, (_, index) => `M${index}`)]
const fieldSpec: fc.Arbitrary<FieldSpec> = fc.record({
  type: fc.constantFrom(...names),
  shape: fc.constantFrom('plain', 'optional', 'repeated', 'map', 'oneof'),
  key: fc.constantFrom(...Object.keys(keys)),
  number: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 20_000, max: 2 ** 29 - 1 })),
})
const spec: fc.Arbitrary<Spec> = fc.array(
  fc.uniqueArray(fieldSpec, { selector: ({ number }) => number, maxLength: 7 }),
  {
    minLength: messages,
    maxLength: messages,
  },
)

function declaration({ type, shape, key, number }: FieldSpec): string {
  const name = `f_${number} = ${number};`
  const before = { plain: '', oneof: '', optional: 'optional ', repeated: 'repeated ', map: '' }
  return shape === 'map' ? `map<${key}, ${type}> ${name}` : `${before[shape]}${type} ${name}`
}

function schemaOf(spec: Spec): string {
  const bodies = spec.map((fields, index) => {
    const members = fields.filter(({ shape }) => shape === 'oneof').map(declaration)
    const others = fields.filter(({ shape }) => shape !== 'oneof').map(declaration)
    const oneof = members.length > 0 ? `oneof one { ${members.join(' ')} }` : ''
    return `message M${index} { ${others.join(' ')} ${oneof} }`
  })
  return `syntax = "proto3"; enum E { ZERO = 0; ONE = 1; MINUS = -1; } ${bodies.join('\n')}`
}

function valueOf(spec: Spec, type: string, depth: number): fc.Arbitrary<JsonValue> {
  return values[type] ?? dataOf(spec, spec[Number(type.slice(1))] ?? [], depth - 1)
}

function fieldOf(spec: Spec, field: FieldSpec, depth: number): fc.Arbitrary<JsonValue> {
  const value = valueOf(spec, field.type, depth)
  if (field.shape === 'repeated') return fc.array(value, { maxLength: 3 })
  if (field.shape === 'map')
    return fc.dictionary(keys[field.key] ?? fc.string(), value, { maxKeys: 3, noNullPrototype: true })
  return value
}

/** Some of the fields, and one of the members of the oneof. */
function dataOf(spec: Spec, fields: readonly FieldSpec[], depth: number): fc.Arbitrary<JsonValue> {
  if (depth < 0) return fc.constant({})
  const members = fields.filter(({ shape }) => shape === 'oneof')
  return fc.nat().chain((chosen) => {
    const present = fields.filter((field) => field.shape !== 'oneof' || field === members[chosen % members.length])
    const properties = present.map((field) => [`f${field.number}`, fieldOf(spec, field, depth)] as const)
    return fc.record(Object.fromEntries(properties), { requiredKeys: [], noNullPrototype: true }).map(defined)
  })
}

function defined(record: Record<string, JsonValue | undefined>): JsonObject {
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

// On a busy machine there are fewer runs rather than none.
const bounded = { interruptAfterTimeLimit: 15_000 }

type Case = { codec: Codec; shape: JsonObject; reference: Type; data: JsonValue }
const cases: fc.Arbitrary<Case> = spec.chain((chosen) => {
  const schema = schemaOf(chosen)
  const source = { format: 'protobuf', schema, references: [] } as const
  const codec = compileCodec(source)
  const shape = dataShape(source)
  const reference = parse(schema).root.lookupType('M0')
  return dataOf(chosen, chosen[0] ?? [], 3).map((data) => ({ codec, shape, reference, data }))
})

function written({ codec, data }: Case): Buffer {
  const coded = codec.fromJson(data)
  if (!coded.ok) throw new Error(JSON.stringify([data, coded.violations]))
  return coded.value
}

/** The same message as the library reads and writes it. */
function rewritten(reference: Type, bytes: Buffer): Buffer {
  return Buffer.from(reference.encode(reference.decode(bytes)).finish())
}

test('whatever fits a schema is read as it was written, and a reader may send it again', () => {
  fc.assert(
    fc.property(cases, (example) => {
      const bytes = written(example)
      const read = example.codec.fromBytes(bytes)
      expect(read).toMatchObject({ ok: true, value: bytes })
      if (read.ok) expect(example.codec.fromJson(read.data)).toEqual(read)
    }),
    { numRuns: 100, ...bounded },
  )
})

test('what readers get has the shape that the documents show', () => {
  fc.assert(
    fc.property(cases, (example) => {
      const read = example.codec.fromBytes(written(example))
      if (!read.ok) throw new Error(JSON.stringify(read.violations))
      const validate = new Ajv({ strict: false }).compile(example.shape)
      validate(read.data)
      expect(validate.errors).toBeNull()
    }),
    { numRuns: 100, ...bounded },
  )
})

test('the library reads the same from our bytes, and we the same from its', () => {
  fc.assert(
    fc.property(cases, (example) => {
      const bytes = written(example)
      const theirs = rewritten(example.reference, bytes)
      expect(example.codec.fromBytes(theirs)).toEqual({ ...example.codec.fromBytes(bytes), value: theirs })
    }),
    { numRuns: 100, ...bounded },
  )
})

const edits = fc.array(
  fc.record({ at: fc.nat(), byte: fc.nat(255), kind: fc.constantFrom('set', 'insert', 'remove') }),
  {
    minLength: 1,
    maxLength: 4,
  },
)

function edited(bytes: Buffer, changes: readonly { at: number; byte: number; kind: string }[]): Buffer {
  const list = [...bytes]
  for (const { at, byte, kind } of changes) {
    const index = at % (list.length + 1)
    if (kind === 'set' && index < list.length) list[index] = byte
    else list.splice(index, kind === 'remove' ? 1 : 0, ...(kind === 'insert' ? [byte] : []))
  }
  return Buffer.from(list)
}

test('broken bytes never throw, and what we take the library takes for the same', () => {
  fc.assert(
    fc.property(cases, edits, (example, changes) => {
      const bytes = edited(written(example), changes)
      const read = example.codec.fromBytes(bytes)
      if (!read.ok) {
        expect(read.violations).toHaveLength(1)
        return
      }
      const theirs = rewritten(example.reference, bytes)
      expect(example.codec.fromBytes(theirs)).toMatchObject({ ok: true, data: read.data })
    }),
    { numRuns: 400, ...bounded },
  )
})

const anyJson = fc.json().map((text): JsonValue => {
  const value: unknown = JSON.parse(text)
  return isJsonValue(value) ? value : null
})

test('JSON of any kind is taken and read again, or refused with a bounded list', () => {
  fc.assert(
    fc.property(cases, anyJson, ({ codec, data }, json) => {
      const coded = codec.fromJson({ ...(isJsonObject(data) ? data : {}), f_1: json, f_2: [json], f_3: { a: json } })
      if (coded.ok) expect(codec.fromBytes(coded.value)).toEqual(coded)
      else expect(coded.violations.length).toBeLessThanOrEqual(violationsMax)
    }),
    { numRuns: 100, ...bounded },
  )
})
