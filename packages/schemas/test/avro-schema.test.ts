import type { JsonObject, JsonValue } from '@millrace/core/json'
import { expect, test } from 'vitest'
import { avroCodec } from '../src/avro-codec.ts'
import type { Codec } from '../src/codec.ts'
import { recordOf, refusalOf } from './avro-schemas.ts'

function codecOf(schema: JsonValue, ...references: readonly JsonObject[]): Codec {
  return avroCodec({
    format: 'avro',
    schema: JSON.stringify(schema),
    references: references.map((reference) => ({
      name: JSON.stringify(reference['name']),
      schema: JSON.stringify(reference),
    })),
  })
}

/** A field with a default, for `fields` of a schema that `record` cannot write. */
function withDefault(type: JsonValue, fallback: JsonValue, name = 'f'): JsonObject {
  return { type: 'record', name: 'R', fields: [{ name, type, default: fallback }] }
}

function nested(depth: number): JsonValue {
  let schema: JsonValue = 'int'
  for (let level = 0; level < depth; level++) schema = { type: 'array', items: schema }
  return schema
}

/** Each record has the one before it twice, with all of its defaults: 2^40 bytes as bytes. */
function doublingDefaults(): JsonValue {
  const base: JsonObject = { type: 'record', name: 'R0', fields: [{ name: 'f', type: 'int', default: 1 }] }
  const records: JsonObject[] = [base]
  for (let level = 1; level <= 40; level++) {
    const type = `R${level - 1}`
    const fields = ['a', 'b'].map((name) => ({ name, type, default: {} }))
    records.push({ type: 'record', name: `R${level}`, fields })
  }
  return records
}

test.each<[string, JsonValue, RegExp]>([
  ['a type that is nowhere defined', 'Order', /nowhere defined/],
  ['a type that Avro does not know', { type: 'text' }, /"text" is nowhere defined/],
  ['no type', {}, /nothing is not a type/],
  ['null for a type', { type: 'array', items: null }, /null is not a type/],
  ['a number for a type', { type: 'map', values: 3 }, /3 is not a type/],
  ['a record without fields', { type: 'record', name: 'R' }, /no list of "fields"/],
  ['a record without a name', { type: 'record', fields: [] }, /needs a name/],
  ['a field that is no object', { type: 'record', name: 'R', fields: ['f'] }, /a field of the record R/],
  ['a field without a type', { type: 'record', name: 'R', fields: [{ name: 'f' }] }, /nothing is not a type/],
  ['a field twice', { type: 'record', name: 'R', fields: [...fieldsNamed('f'), ...fieldsNamed('f')] }, /field f twice/],
  ['a name with a hyphen', recordOf('an-order', {}), /needs a name of letters/],
  ['code for a name', recordOf('R', { 'a;process.exit(1)': 'int' }), /needs a name of letters/],
  ['a name with a quote', recordOf("x'];alert(1)//", {}), /needs a name of letters/],
  ['a very long name', recordOf('a'.repeat(300), {}), /at most 256/],
  ['__proto__ as a field', { type: 'record', name: 'R', fields: fieldsNamed('__proto__') }, /called "__proto__"/],
  ['__proto__ as a type', recordOf('__proto__', {}), /called "__proto__"/],
  ['__proto__ as a namespace', { ...recordOf('R', {}), namespace: 'a.__proto__' }, /called "__proto__"/],
  ['__proto__ as a symbol', { type: 'enum', name: 'E', symbols: ['__proto__'] }, /called "__proto__"/],
  ['the name of a primitive', recordOf('string', {}), /like a primitive type/],
  ['one name for two types', recordOf('R', { a: recordOf('A', {}), b: recordOf('A', {}) }), /A is defined twice/],
  ['an enum without symbols', { type: 'enum', name: 'E', symbols: [] }, /list of "symbols"/],
  ['a symbol twice', { type: 'enum', name: 'E', symbols: ['A', 'A'] }, /symbol twice/],
  ['a default that is no symbol', { type: 'enum', name: 'E', symbols: ['A'], default: 'B' }, /none of its symbols/],
  ['a fixed of no size', { type: 'fixed', name: 'F' }, /must be an integer between/],
  ['a fixed of a negative size', { type: 'fixed', name: 'F', size: -1 }, /must be an integer between/],
  ['a huge fixed', { type: 'fixed', name: 'F', size: 2 ** 31 }, /must be an integer between/],
  ['a union of nothing', [], /at least one/],
  ['a union in a union', ['null', ['null', 'int']], /directly in a union/],
  ['a branch twice', ['int', 'int'], /int twice/],
  ['two arrays in a union', [nested(1), nested(2)], /array twice/],
  ['a record in itself', recordOf('R', { again: 'R' }), /contains itself without end/],
  ['a record in itself by another', recordOf('A', { b: recordOf('B', { a: 'A' }) }), /contains itself without end/],
  ['a record in itself by a union of one', recordOf('R', { again: ['R'] }), /contains itself without end/],
  ['nesting without end', nested(1_000), /nested deeper than 64/],
  ['a default of another type', withDefault('int', 'one'), /default of the field f does not fit/],
  ['a default without a branch', withDefault(['null', 'int'], 'one'), /default of the field f does not fit/],
  ['defaults that double', doublingDefaults(), /does not fit|contains itself/],
  ['more types than a schema needs', manyTypes(1_001), /more than 1000 named types/],
  ['a very long schema', { ...recordOf('R', {}), doc: 'x'.repeat(300_000) }, /at most 262144/],
])('a schema with %s is refused in a sentence', (_what, schema, sentence) => {
  expect(refusalOf(() => codecOf(schema))).toMatch(sentence)
})

function fieldsNamed(name: string): JsonObject[] {
  return [{ name, type: 'int' }]
}

function manyTypes(count: number): JsonValue {
  return Array.from({ length: count }, (_, index) => recordOf(`R${index}`, {}))
}

test('a schema that is nested beyond any parser is refused, whether it comes as text or not', () => {
  const text = '{"type":"array","items":'.repeat(10_000) + '"int"' + '}'.repeat(10_000)
  const deep = { type: nested(10_000) }
  expect(refusalOf(() => avroCodec({ format: 'avro', schema: text, references: [] }))).toMatch(/is nested/)
  expect(refusalOf(() => avroCodec({ format: 'avro', schema: deep, references: [] }))).toMatch(/is nested/)
})

test('a schema that is not JSON is refused', () => {
  const broken = () => avroCodec({ format: 'avro', schema: 'string', references: [] })
  expect(broken).toThrow(/it is not JSON/)
})

test.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype'])(
  'a field, a type and a symbol may be called %s',
  (name) => {
    const inner: JsonObject = { type: 'enum', name, symbols: [name] }
    const codec = codecOf(recordOf('R', { [name]: inner, other: ['null', 'string'] }))
    const data = { [name]: name, other: 'x' }
    expect(codec.fromJson(data)).toMatchObject({ ok: true, data })
    expect(codec.fromJson({ other: null })).toEqual({
      ok: false,
      violations: [{ pointer: `/${name}`, detail: 'is required' }],
    })
  },
)

test('a record may contain itself behind a union, an array or a map', () => {
  const codec = codecOf(
    recordOf('Node', {
      next: ['null', 'Node'],
      children: { type: 'array', items: 'Node' },
      named: { type: 'map', values: 'Node' },
    }),
  )
  const leaf = { next: null, children: [], named: {} }
  const data = { next: leaf, children: [leaf, leaf], named: { a: leaf } }
  expect(codec.fromJson(data)).toMatchObject({ ok: true, data })
})

test('names are resolved in the namespace where they stand', () => {
  const codec = codecOf({
    type: 'record',
    name: 'Order',
    namespace: 'shop',
    fields: [
      { name: 'id', type: { type: 'fixed', name: 'Id', size: 1 } },
      { name: 'other', type: ['null', 'shop.Id'] },
      { name: 'foreign', type: { type: 'record', name: 'elsewhere.Order', fields: [{ name: 'id', type: 'shop.Id' }] } },
    ],
  })
  const data = { id: 'a', other: { 'shop.Id': 'b' }, foreign: { id: 'c' } }
  expect(codec.fromJson(data)).toMatchObject({ ok: true, value: Buffer.from('a\u0002bc') })
})

test('types of other subjects are found in the references, in whatever order they come', () => {
  const line = { ...recordOf('Line', { price: 'money.Price' }), namespace: 'shop' }
  const price = { ...recordOf('Price', { cents: 'long' }), namespace: 'money' }
  const order = { ...recordOf('Order', { lines: { type: 'array', items: 'Line' } }), namespace: 'shop' }
  const data = { lines: [{ price: { cents: 5 } }] }
  for (const references of [
    [line, price],
    [price, line],
    [price, line, price],
  ]) {
    expect(codecOf(order, ...references).fromJson(data)).toMatchObject({ ok: true, data })
  }
  expect(() => codecOf(order, price)).toThrow(/"shop.Line" is nowhere defined/)
  expect(() => codecOf(order, line, price, { ...price, doc: 'another' })).toThrow(/money.Price is defined twice/)
})

test('logical types are what they are stored as', () => {
  const codec = codecOf(
    recordOf('R', {
      at: { type: 'long', logicalType: 'timestamp-millis' },
      amount: { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 },
      id: { type: { type: 'string' }, logicalType: 'uuid' },
    }),
  )
  const data = { at: 1_764_000_000_000, amount: '\u0001ÿ', id: 'not a uuid' }
  expect(codec.fromJson(data)).toMatchObject({ ok: true, data })
})

test('defaults are the bare values of the schema, those of inner records within them', () => {
  const inner = { type: 'record', name: 'I', fields: [{ name: 'n', type: ['long', 'null'], default: 7 }] }
  const codec = codecOf({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'inner', type: inner, default: {} },
      { name: 'text', type: ['null', 'string'], default: null },
      { name: 'raw', type: 'bytes', default: 'ÿ' },
      { name: 'list', type: { type: 'array', items: ['string', 'null'] }, default: ['a', null] },
    ],
  })
  const data = { inner: { n: 7 }, text: null, raw: 'ÿ', list: ['a', null] }
  expect(codec.fromJson({})).toMatchObject({ ok: true, data })
})
