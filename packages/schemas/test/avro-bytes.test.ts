import type { JsonValue } from '@millrace/core/json'
import { expect, test } from 'vitest'
import type { Coded } from '../src/codec.ts'
import { arrayOf, avroCodecOf, mapOf, recordOf, violationsOf } from './avro-schemas.ts'

function read(schema: JsonValue, hex: string): Coded {
  return avroCodecOf(schema).fromBytes(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

const order = recordOf('Order', { id: 'string', lines: arrayOf(recordOf('Line', { tags: mapOf(['null', 'int']) })) })
const node = recordOf('Node', { next: ['null', 'Node'] })
const manyNulls = recordOf(
  'Wide',
  Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`f${index}`, 'null'] as const)),
)

test.each<[string, JsonValue, string, string]>([
  ['nothing', 'int', '', ': ends after 0 bytes within a number'],
  ['a number without its end', 'long', '8080', ': ends after 2 bytes within a number'],
  ['a number of eleven bytes', 'long', '8080808080808080808001', ': has a number of more than 64 bits at byte 0'],
  ['a number of 65 bits', 'long', '80808080808080808002', ': has a number of more than 64 bits at byte 0'],
  ['an int of 33 bits', 'int', '8080808010', ': has 2147483648 at byte 0, which is beyond an int of 32 bits'],
  ['a boolean of 2', 'boolean', '02', ': has 2 at byte 0, where a boolean is 0 or 1'],
  ['half a float', 'float', '0000', ': ends after 2 bytes within a float'],
  ['half a double', 'double', '00000000', ': ends after 4 bytes within a double'],
  ['half a fixed', { type: 'fixed', name: 'F', size: 4 }, '0000', ': ends after 2 bytes within a fixed'],
  ['a string beyond the rest', 'string', '0a6162', ': has a string of 5 bytes at byte 0, where 2 are left'],
  ['a string of 2 GiB', 'string', 'feffffff0f', ': has a string of 2147483647 bytes at byte 0, where 0 are left'],
  [
    'a string of 2^63 bytes',
    'string',
    'feffffffffffffffff01',
    ': has a string of 9223372036854775807 bytes at byte 0, where 0 are left',
  ],
  ['a negative length', 'bytes', '01', ': has bytes of -1 bytes at byte 0, where 0 are left'],
  ['a short string that is not UTF-8', 'string', '04c328', ': has a string at byte 1 that is not UTF-8'],
  ['a surrogate in UTF-8', 'string', '06eda080', ': has a string at byte 1 that is not UTF-8'],
  ['a long string that is not UTF-8', 'string', `28${'61'.repeat(19)}ff`, ': has a string at byte 1 that is not UTF-8'],
  ['a branch that is none', ['null', 'int'], '04', ': names branch 2 at byte 0, where there are 2'],
  ['a negative branch', ['null', 'int'], '01', ': names branch -1 at byte 0, where there are 2'],
  [
    'a symbol that is none',
    { type: 'enum', name: 'E', symbols: ['A'] },
    '02',
    ': names symbol 1 at byte 0, where there are 1',
  ],
  ['bytes after the end', 'int', '0200ff', ': ends at byte 1, and 2 bytes follow'],
  ['an array without its end', arrayOf('int'), '0202', ': ends after 2 bytes within a number'],
  [
    'a block of 2^62 items',
    arrayOf('int'),
    '8080808080808080 8001',
    ': has a block of 4611686018427387904 items at byte 0',
  ],
  [
    'a block of -2^63 items',
    arrayOf('int'),
    'ffffffffffffffffff01',
    ': has a block of -9223372036854775808 items at byte 0',
  ],
  ['a block longer than the rest', arrayOf('int'), '010a0200', ': has a block of 5 bytes at byte 0, where 2 are left'],
  ['a block of a negative length', arrayOf('int'), '01010200', ': has a block of -1 bytes at byte 0, where 2 are left'],
  [
    'a block that ends elsewhere',
    arrayOf('int'),
    '01040200',
    ': has a block that should end at byte 4 and ends at byte 3',
  ],
  ['a key that is not UTF-8', mapOf('int'), '0202ff0200', ': has a string at byte 2 that is not UTF-8'],
  ['a key twice', mapOf('int'), '0402610202610400', '/a: is there a second time at byte 4: a map has each key once'],
  [
    'something deep inside',
    order,
    '0278 04 00 02 03612f62 02 00',
    '/lines/1/tags: has a string of -2 bytes at byte 5, where 5 are left',
  ],
  [
    'a wrong branch deep inside',
    order,
    '0278 04 00 02 06612f62 06 00',
    '/lines/1/tags/a~1b: names branch 3 at byte 9, where there are 2',
  ],
  ['nesting of 65', node, '02'.repeat(64) + '00', `${'/next'.repeat(64)}: is nested deeper than 64 levels at byte 64`],
  [
    'nesting without end',
    node,
    '02'.repeat(100_000),
    `${'/next'.repeat(64)}: is nested deeper than 64 levels at byte 64`,
  ],
])('%s is refused, where and why is said', (_what, schema, hex, violation) => {
  expect(violationsOf(read(schema, hex))).toEqual([violation])
})

test.each<[string, JsonValue, string]>([
  ['20 million nulls', arrayOf('null'), '8088d31300'],
  ['2 billion empty records', arrayOf(recordOf('E', {})), 'feffffff0f00'],
  ['items of many values and no bytes', arrayOf(manyNulls), 'd00f00'],
  [
    'items of many values and a byte each',
    arrayOf(recordOf('R', { wide: manyNulls, n: 'int' })),
    `d00f${'00'.repeat(1_000)}00`,
  ],
  ['nulls by a negative count', arrayOf('null'), 'ff87d3130000'],
  ['blocks upon blocks', arrayOf('null'), 'd00f'.repeat(100) + '00'],
  ['long symbols', arrayOf({ type: 'enum', name: 'E', symbols: ['x'.repeat(256)] }), `c09a0c${'00'.repeat(100_000)}00`],
])('%s are refused before they take time or memory', (_what, schema, hex) => {
  const started = process.cpuUsage()
  expect(violationsOf(read(schema, hex)).join()).toContain('the data becomes too large')
  expect(process.cpuUsage(started).user).toBeLessThan(500_000)
})

test.each<[string, JsonValue, string, JsonValue]>([
  ['blocks with their length', arrayOf('int'), '030402 04 00', [1, 2]],
  ['several blocks', arrayOf('int'), '0202020400', [1, 2]],
  ['a few items of no bytes', arrayOf('null'), '0600', [null, null, null]],
  ['a number longer than it need be', 'long', '828000', 1],
  ['nesting of 64', node, '02'.repeat(63) + '00', deep(64)],
])('%s are Avro too', (_what, schema, hex, data) => {
  expect(read(schema, hex)).toMatchObject({ ok: true, data })
})

const long = (value: number) => {
  let hex = ''
  let rest = 2 * value
  for (; rest > 0x7f; rest >>>= 7) hex += ((rest & 0x7f) | 0x80).toString(16)
  return hex + rest.toString(16).padStart(2, '0')
}
const listOf = (count: number, item: string) => `${long(count)}${item.repeat(count)}00`
const keyed = (count: number) => {
  const entries = Array.from({ length: count }, (_, n) => `0a${Buffer.from(`${n}`.padStart(5)).toString('hex')}00`)
  return `${long(count)}${entries.join('')}00`
}

test.each<[string, JsonValue, string, string]>([
  ['numbers', arrayOf('int'), listOf(1_048_000, '02'), listOf(1_200_000, '02')],
  ['blocks', arrayOf('int'), `${'0202'.repeat(390_000)}00`, `${'0202'.repeat(410_000)}00`],
  ['records', arrayOf(recordOf('R', { n: 'int' })), listOf(160_000, '02'), listOf(250_000, '02')],
  ['arrays', arrayOf(arrayOf('int')), listOf(160_000, '00'), listOf(250_000, '00')],
  ['texts', arrayOf('string'), listOf(390_000, '0261'), listOf(410_000, '0261')],
  ['entries of a map', mapOf('int'), keyed(50_000), keyed(60_000)],
])('data may have many %s, but not any number', (_what, schema, many, tooMany) => {
  expect(violationsOf(read(schema, many))).toEqual([])
  expect(violationsOf(read(schema, tooMany)).join()).toContain('has more values')
})

test('JSON may become many values, but not any number', () => {
  const write = (schema: JsonValue, data: JsonValue) => violationsOf(avroCodecOf(schema).fromJson(data)).join()
  const list = (count: number, value: JsonValue) => Array<JsonValue>(count).fill(value)
  expect(write(arrayOf('int'), list(390_000, 1))).toBe('')
  expect(write(arrayOf('int'), list(410_000, 1))).toContain('too much work')
  expect(write(arrayOf(recordOf('R', { n: 'int' })), list(90_000, { n: 1 }))).toBe('')
  expect(write(arrayOf(recordOf('R', { n: 'int' })), list(110_000, { n: 1 }))).toContain('too much work')
  expect(write(mapOf('int'), Object.fromEntries(list(50_000, 0).map((_, n) => [`k${n}`, 1])))).toBe('')
  expect(write(mapOf('int'), Object.fromEntries(list(60_000, 0).map((_, n) => [`k${n}`, 1])))).toContain(
    'too much work',
  )
})

function deep(depth: number): JsonValue {
  let data: JsonValue = null
  for (let level = 0; level < depth; level++) data = { next: data }
  return data
}
