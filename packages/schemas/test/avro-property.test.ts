/** Avro by its reference: what `avsc` makes of the same schema, data and bytes. */
import type { JsonObject, JsonValue } from '@millrace/core/json'
import { Ajv } from 'ajv'
import avsc from 'avsc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dataShape } from '../src/data-shape.ts'
import { avroCodecOf, avroSource } from './avro-schemas.ts'

type Case = { readonly schema: JsonValue; readonly data: JsonValue }
/** A schema, and what makes data for it in Avro's own JSON encoding. */
type Sort = { readonly schema: JsonValue; readonly data: fc.Arbitrary<JsonValue>; readonly branch: string }

const latin1 = (length: fc.SizeForArbitrary | undefined, exact?: number) =>
  fc
    .uint8Array(exact === undefined ? { maxLength: 20, size: length } : { minLength: exact, maxLength: exact })
    .map((bytes) => Buffer.from(bytes).toString('latin1'))
const text = fc.string({ unit: 'binary', maxLength: 30 })
const finite = { noNaN: true, noDefaultInfinity: true }

/** JSON that is parsed here has one zero. */
const positiveZero = (number: number) => number + 0

const primitives: readonly Sort[] = [
  { schema: 'null', data: fc.constant(null), branch: 'null' },
  { schema: 'boolean', data: fc.boolean(), branch: 'boolean' },
  { schema: 'int', data: fc.integer(), branch: 'int' },
  { schema: 'long', data: fc.maxSafeInteger(), branch: 'long' },
  { schema: 'float', data: fc.float(finite).map(positiveZero), branch: 'float' },
  { schema: 'double', data: fc.double(finite).map(positiveZero), branch: 'double' },
  { schema: 'string', data: text, branch: 'string' },
  { schema: 'bytes', data: latin1(undefined), branch: 'bytes' },
]

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/).filter((candidate) => candidate !== '__proto__')
/** So many that two in one schema are hardly ever the same; where they are, the schema is thrown away. */
const typeName = fc.integer({ min: 0, max: 2 ** 31 }).map((number) => `T${number}`)
const primitive = fc.constantFrom(...primitives)
const enums = fc.tuple(typeName, fc.uniqueArray(name, { minLength: 1, maxLength: 4 })).map(([type, symbols]): Sort => ({
  schema: { type: 'enum', name: type, symbols },
  data: fc.constantFrom(...symbols),
  branch: type,
}))
const fixeds = fc.tuple(typeName, fc.integer({ min: 0, max: 5 })).map(([type, size]): Sort => ({
  schema: { type: 'fixed', name: type, size },
  data: latin1(undefined, size),
  branch: type,
}))

const sort = fc.letrec<{ any: Sort; plain: Sort; array: Sort; map: Sort; record: Sort; union: Sort }>((tie) => ({
  any: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('plain'), tie('union')),
  plain: fc.oneof({ depthSize: 'small' }, primitive, enums, fixeds, tie('array'), tie('map'), tie('record')),
  array: tie('any').map(({ schema, data }) => ({
    schema: { type: 'array', items: schema },
    data: fc.array(data, { maxLength: 4 }),
    branch: 'array',
  })),
  map: tie('any').map(({ schema, data }) => ({
    schema: { type: 'map', values: schema },
    data: fc.dictionary(name, data, { maxKeys: 4, noNullPrototype: true }),
    branch: 'map',
  })),
  record: fc
    .tuple(typeName, fc.uniqueArray(fc.tuple(name, tie('any')), { maxLength: 5, selector: ([field]) => field }))
    .map(([type, fields]) => ({
      schema: {
        type: 'record',
        name: type,
        fields: fields.map(([field, { schema }]) => ({ name: field, type: schema })),
      },
      data: fc.record(Object.fromEntries(fields.map(([field, { data }]) => [field, data])), { noNullPrototype: true }),
      branch: type,
    })),
  union: fc
    .uniqueArray(tie('plain'), { minLength: 1, maxLength: 4, selector: ({ branch }) => branch })
    .map((branches) => ({
      schema: branches.map(({ schema }) => schema),
      data: fc.oneof(
        ...branches.map(({ data, branch }) =>
          branch === 'null' ? data : data.map((value): JsonObject => ({ [branch]: value })),
        ),
      ),
      branch: 'union',
    })),
})).any

const cases: fc.Arbitrary<Case> = sort
  .chain(({ schema, data }) => data.map((value) => ({ schema, data: value })))
  .filter(({ schema }) => isDefinedOnce(schema))

function isDefinedOnce(schema: JsonValue): boolean {
  const names = JSON.stringify(schema).match(/"name":"T\d+"/g) ?? []
  return new Set(names).size === names.length
}

/** avsc with exact longs, in the digits that this platform has for them. */
const exactLong = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (long: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(long)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: (long: bigint) => (Number.isSafeInteger(Number(long)) ? Number(long) : String(long)),
  isValid: (long: unknown) => typeof long === 'bigint',
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
})

function reference(schema: JsonValue): avsc.Type {
  if (!isAvscSchema(schema)) throw new TypeError('no schema')
  return avsc.Type.forSchema(schema, { wrapUnions: true, registry: { long: exactLong } })
}

/** What is none, avsc refuses itself. */
function isAvscSchema(schema: unknown): schema is avsc.Schema {
  return typeof schema === 'string' || typeof schema === 'object'
}

test('any data is encoded as the reference does, and what readers get can be sent again', () => {
  fc.assert(
    fc.property(cases, ({ schema, data }) => {
      const codec = avroCodecOf(schema)
      const coded = codec.fromJson(data)
      if (!coded.ok) throw new Error(JSON.stringify(coded.violations))
      const type = reference(schema)
      expect(coded.value).toEqual(type.toBuffer(type.fromString(JSON.stringify(data))))
      expect(codec.fromBytes(coded.value)).toEqual(coded)
      expect(codec.fromJson(coded.data)).toEqual(coded)
      expect(codec.fromVersion(avroSource(schema))(coded.value)).toEqual(coded)
    }),
    { numRuns: 300 },
  )
})

test('what readers get of any data has the shape that the documents show', () => {
  fc.assert(
    fc.property(cases, ({ schema, data }) => {
      const coded = avroCodecOf(schema).fromJson(data)
      if (!coded.ok) throw new Error(JSON.stringify(coded.violations))
      const validate = new Ajv().compile(dataShape(avroSource(schema)))
      validate(coded.data)
      expect(validate.errors).toBeNull()
    }),
    { numRuns: 200 },
  )
})

type Change = { readonly at: number; readonly to: number; readonly how: 'set' | 'insert' | 'remove' }
const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.record({ at: fc.nat(200), to: fc.nat(255), how: fc.constantFrom('set', 'insert', 'remove') }),
  { minLength: 1, maxLength: 4 },
)

function changed(bytes: Buffer, list: readonly Change[]): Buffer {
  const copy = [...bytes]
  for (const { at, to, how } of list) {
    const index = at % (copy.length + 1)
    copy.splice(index, how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [to]))
  }
  return Buffer.from(copy)
}

test('bytes that were damaged are refused with one violation, or read as the reference reads them', () => {
  fc.assert(
    fc.property(cases, changes, ({ schema, data }, list) => {
      const codec = avroCodecOf(schema)
      const coded = codec.fromJson(data)
      if (!coded.ok) throw new Error(JSON.stringify(coded.violations))
      const bytes = changed(coded.value, list)
      const read = codec.fromBytes(bytes)
      if (!read.ok) {
        expect(read.violations).toHaveLength(1)
        return
      }
      const type = reference(schema)
      const again = codec.fromJson(read.data)
      expect(again).toMatchObject({ ok: true, data: read.data })
      // The many bit patterns that are no number are one in JSON.
      if (again.ok && !JSON.stringify(read.data).includes('"NaN"')) {
        expect(again.value).toEqual(type.toBuffer(type.fromBuffer(bytes)))
      }
    }),
    { numRuns: 500 },
  )
})

test('any bytes become at most so many values, or are refused', () => {
  const block = fc.uint8Array({ minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(sort, fc.array(block, { maxLength: 20 }), ({ schema }, blocks) => {
      fc.pre(isDefinedOnce(schema))
      const bytes = Buffer.concat(blocks)
      const read = avroCodecOf(schema).fromBytes(bytes)
      if (!read.ok) return
      const valuesMax = (64 * 1024 + JSON.stringify(schema).length + 64 * bytes.length) / 4 + 1
      expect(countValues(read.data)).toBeLessThanOrEqual(valuesMax)
    }),
    { numRuns: 500 },
  )
})

function countValues(data: JsonValue): number {
  if (typeof data !== 'object' || data === null) return 1
  return Object.values(data).reduce((sum: number, value: JsonValue) => sum + countValues(value), 1)
}
