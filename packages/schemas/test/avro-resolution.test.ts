import type { JsonObject, JsonValue } from '@millrace/core/json'
import { expect, test } from 'vitest'
import type { Coded } from '../src/codec.ts'
import { avroCodecOf, avroSource, enumOf, fixedOf, refusalOf, violationsOf } from './avro-schemas.ts'

/** What a reader with one schema sees of what was written with another. */
function resolved(writer: JsonValue, reader: JsonValue, data: JsonValue): Coded {
  const written = avroCodecOf(writer).fromJson(data)
  if (!written.ok) return written
  const seen = avroCodecOf(reader).fromVersion(avroSource(writer))(written.value)
  if (seen.ok) expect(seen.value).toBe(written.value)
  return seen
}

function record(name: string, ...fields: readonly JsonObject[]): JsonObject {
  return { type: 'record', name, fields: [...fields] }
}

const field = (name: string, type: JsonValue, more: JsonObject = {}): JsonObject => ({ name, type, ...more })
test.each<[string, JsonValue, JsonValue, JsonValue, JsonValue]>([
  ['an int as a long', 'int', 'long', 1, 1],
  ['an int as a float', 'int', 'float', 16_777_217, 16_777_216],
  ['an int as a double', 'int', 'double', 16_777_217, 16_777_217],
  ['a long as a float', 'long', 'float', 5, 5],
  ['a long as a double', 'long', 'double', '9007199254740993', 9_007_199_254_740_992],
  ['a float as a double', 'float', 'double', 0.1, 0.10000000149011612],
  ['no number as a double', 'float', 'double', 'NaN', 'NaN'],
  ['a string as bytes', 'string', 'bytes', 'é', 'Ã©'],
  ['bytes as a string', 'bytes', 'string', 'Ã©', 'é'],
  ['items', { type: 'array', items: 'int' }, { type: 'array', items: 'double' }, [1], [1]],
  ['values', { type: 'map', values: 'int' }, { type: 'map', values: ['null', 'long'] }, { a: 1 }, { a: 1 }],
  ['a symbol at another place', enumOf('E', ['A', 'B']), enumOf('E', ['B', 'A']), 'B', 'B'],
  ['a symbol that is gone', enumOf('E', ['A', 'B']), enumOf('E', ['A'], { default: 'A' }), 'B', 'A'],
  ['an enum of another name', enumOf('E', ['A']), enumOf('F', ['A'], { aliases: ['E'] }), 'A', 'A'],
  ['a fixed of another name', fixedOf('x.F', 1), fixedOf('y.G', 1, { aliases: ['x.F'] }), 'a', 'a'],
  ['another namespace', fixedOf('x.F', 1), fixedOf('y.F', 1), 'a', 'a'],
  ['a value as a union', 'int', ['null', 'int'], 1, 1],
  ['a value as the branch of its name', 'string', ['null', 'bytes', 'string'], 'x', { string: 'x' }],
  ['a value as the first branch that can', 'int', ['null', 'string', 'double'], 1, 1],
  ['a union as one of more', ['null', 'int'], ['string', 'int', 'null'], null, null],
  ['a union as what all its branches become', ['int', 'long'], 'double', { int: 1 }, 1],
  [
    'fields in another order',
    record('R', field('a', 'int'), field('b', 'string')),
    record('R', field('b', 'string'), field('a', 'int')),
    { a: 1, b: 'x' },
    { b: 'x', a: 1 },
  ],
  [
    'a field that is gone',
    record('R', field('a', { type: 'array', items: 'string' }), field('b', 'string')),
    record('R', field('b', 'string')),
    { a: ['y'], b: 'x' },
    { b: 'x' },
  ],
  [
    'a field that is new',
    record('R', field('b', 'string')),
    record(
      'R',
      field('a', ['null', 'int'], { default: null }),
      field('b', 'string'),
      field('c', 'bytes', { default: 'ÿ' }),
    ),
    { b: 'x' },
    { a: null, b: 'x', c: 'ÿ' },
  ],
  [
    'a field of another name',
    record('R', field('old', 'int'), field('b', 'int')),
    record('R', field('a', 'long', { aliases: ['older', 'old'] }), field('b', 'int')),
    { old: 1, b: 2 },
    { a: 1, b: 2 },
  ],
  [
    'a record of another name that contains itself',
    record('x.Old', field('n', 'int'), field('next', ['null', 'x.Old'])),
    { ...record('x.New', field('next', ['null', 'x.New']), field('n', 'long')), aliases: ['Old'] },
    { n: 1, next: { n: 2, next: null } },
    { next: { next: null, n: 2 }, n: 1 },
  ],
])('%s', (_what, writer, reader, data, seen) => {
  const coded = resolved(writer, reader, data)
  expect(coded).toMatchObject({ ok: true, data: seen })
  expect(coded.ok && JSON.stringify(coded.data)).toBe(JSON.stringify(seen))
})

test.each<[string, JsonValue, JsonValue, RegExp]>([
  ['another type', 'string', 'int', /string was written where int is read/],
  ['a long as an int', 'long', 'int', /long was written where int is read/],
  ['a double as a float', 'double', 'float', /double was written/],
  ['a fixed of another size', fixedOf('F', 1), fixedOf('F', 2), /was 1 bytes long/],
  ['another name', enumOf('E', ['A']), enumOf('F', ['A']), /give it this alias/],
  ['a symbol that is gone', enumOf('E', ['A', 'B']), enumOf('E', ['A']), /E has no symbol B/],
  ['a branch that is gone', ['null', 'int'], 'int', /null was written where int is read/],
  ['no branch that can', 'string', ['null', 'int'], /none of null, int/],
  [
    'a new field without a default',
    record('R'),
    record('R', field('a', 'int')),
    /R.a was not written and has no default/,
  ],
  [
    'what is deep inside',
    record('R', field('a', { type: 'array', items: 'string' })),
    record('R', field('a', { type: 'array', items: 'int' })),
    /R.a: string was written where int is read/,
  ],
])('a version that cannot be read is refused: %s', (_what, writer, reader, sentence) => {
  expect(refusalOf(() => avroCodecOf(reader).fromVersion(avroSource(writer)))).toMatch(sentence)
})

test('what fails in one branch leaves nothing behind in the next', () => {
  const writer = record('R', field('self', ['null', 'R']), field('v', 'string'))
  const asInt = record('a.R', field('self', ['null', 'a.R']), field('v', 'int'))
  const asText = record('b.R', field('self', ['null', 'a.R', 'b.R']), field('v', 'string'))
  const data = { self: { self: null, v: 'x' }, v: 'y' }
  expect(resolved(writer, ['null', asInt, asText], data)).toMatchObject({
    ok: true,
    data: { 'b.R': { self: { 'b.R': { self: null, v: 'x' } }, v: 'y' } },
  })
})

test('bytes are checked by the schema that wrote them, also where the reader drops them', () => {
  const writer = record('R', field('dropped', 'string'), field('kept', 'boolean'))
  const read = avroCodecOf(record('R', field('kept', 'boolean'))).fromVersion(avroSource(writer))
  expect(read(Buffer.from('02ff01', 'hex'))).toEqual({
    ok: false,
    violations: [{ pointer: '/dropped', detail: 'has a string at byte 1 that is not UTF-8' }],
  })
  expect(read(Buffer.from('026102', 'hex'))).toMatchObject({ ok: false, violations: [{ pointer: '/kept' }] })
  expect(read(Buffer.from('02610100', 'hex'))).toMatchObject({ ok: false, violations: [{ pointer: '' }] })
})

test('bytes that are not UTF-8 are no string', () => {
  expect(resolved('bytes', 'string', 'ÿ')).toMatchObject({ ok: false, violations: [{ pointer: '' }] })
})

test('large defaults of many small records are refused before they take memory', () => {
  const writer: JsonObject = { type: 'array', items: record('R', field('n', 'int')) }
  const large = field('text', 'string', { default: 'x'.repeat(100_000) })
  const reader: JsonObject = { type: 'array', items: record('R', field('n', 'int'), large) }
  expect(resolved(writer, reader, [{ n: 1 }])).toMatchObject({ ok: true })
  const many = Array.from({ length: 10_000 }, (_, n) => ({ n }))
  expect(violationsOf(resolved(writer, reader, many)).join()).toContain('the data becomes too large')
})

test('versions that can be compared in too many ways are refused', () => {
  const union = (space: string, type: string) =>
    Array.from({ length: 400 }, (_, index) => record(`${space}${index}.R`, field('a', type)))
  const readable = record('last.R', field('a', 'string'))
  const codec = avroCodecOf([...union('reader', 'int'), readable])
  expect(() => codec.fromVersion(avroSource(union('writer', 'string')))).toThrow(/too many types with the same names/)
})
