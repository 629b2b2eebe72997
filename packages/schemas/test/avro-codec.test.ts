import { isJsonValue, type JsonValue } from '@millrace/core/json'
import { describe, expect, test } from 'vitest'
import type { Codec } from '../src/codec.ts'
import { compileCodec } from '../src/compile-codec.ts'
import { parseExactJson } from '../src/exact-json.ts'
import { arrayOf, avroCodecOf, enumOf, fixedOf, mapOf, recordOf, violationsOf } from './avro-schemas.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
/** JSON with integers that no literal can have. */
function parsed(text: string): JsonValue {
  const json = parseExactJson(Buffer.from(text))
  return json.ok && isJsonValue(json.value) ? json.value : null
}
const colour = enumOf('Colour', ['RED', 'BLUE'])
const two = fixedOf('Two', 2)

/** What readers get of JSON, and of the same JSON again. */
function seen(codec: Codec, data: JsonValue): JsonValue | readonly string[] {
  const coded = codec.fromJson(data)
  if (!coded.ok) return violationsOf(coded)
  expect(codec.fromJson(coded.data)).toEqual(coded)
  expect(codec.fromBytes(coded.value)).toEqual(coded)
  return coded.data
}

test('an Avro schema is compiled where a schema of any format is', () => {
  const codec = compileCodec({ format: 'avro', schema: recordOf('R', { n: 'int' }), references: [] })
  expect(codec.format).toBe('avro')
  expect(codec.fromJson({ n: -65 })).toEqual({ ok: true, value: hex('8101'), data: { n: -65 } })
})

test.each<[JsonValue, JsonValue, string]>([
  ['null', null, ''],
  ['boolean', true, '01'],
  ['int', 0, '00'],
  ['int', -1, '01'],
  ['int', 64, '8001'],
  ['int', -2_147_483_648, 'ffffffff0f'],
  ['int', 2_147_483_647, 'feffffff0f'],
  ['long', 1_764_000_000_000, '80a0bfe9d666'],
  ['long', 9_007_199_254_740_991, 'feffffffffffff1f'],
  ['long', -9_007_199_254_740_991, 'fdffffffffffff1f'],
  ['long', '9007199254740992', '808080808080 8020'],
  ['long', '9223372036854775807', 'feffffffffffffffff01'],
  ['long', '-9223372036854775808', 'ffffffffffffffffff01'],
  ['float', 0.5, '0000003f'],
  ['double', -2, '00000000000000c0'],
  ['double', 'NaN', '000000000000f87f'],
  ['float', '-Infinity', '000080ff'],
  ['string', 'añ😀', '0e61c3b1f09f9880'],
  ['string', '\ufffd and more than sixteen bytes', '3eefbfbd20616e64206d6f7265207468616e207369787465656e206279746573'],
  ['bytes', '\u0000ÿ', '0400ff'],
  [two, 'ab', '6162'],
  [colour, 'BLUE', '02'],
  [arrayOf('int'), [1, 2], '04020400'],
  [arrayOf('int'), [], '00'],
  [mapOf('int'), { a: 1 }, '02026102 00'],
  [['null', 'string'], null, '00'],
  [['null', 'string'], 'x', '020278'],
])('%j: %j is %s and back', (schema, data, bytes) => {
  const codec = avroCodecOf(schema)
  expect(codec.fromJson(data)).toEqual({ ok: true, value: hex(bytes), data })
  expect(codec.fromBytes(hex(bytes))).toEqual({ ok: true, value: hex(bytes), data })
})

describe('longs', () => {
  test('keep all digits, whether JSON has a number or a string', () => {
    const codec = avroCodecOf(mapOf('long'))
    const data = { a: '9007199254740993', b: '-9223372036854775808' }
    expect(seen(codec, parsed('{"a": 9007199254740993, "b": -9223372036854775808}'))).toEqual(data)
    expect(seen(codec, data)).toEqual(data)
    expect(seen(avroCodecOf(['null', 'long']), parsed('9007199254740993'))).toEqual('9007199254740993')
  })

  test('are refused where digits were lost, or are more than 64 bits hold', () => {
    const codec = avroCodecOf(arrayOf('long'))
    expect(seen(codec, [2 ** 53, 1.5, '9223372036854775808', '-9223372036854775809', '1e3', '', '01', null])).toEqual([
      '/0: is beyond 2^53 and would lose digits: send its digits as a string',
      '/1: must be an integer',
      '/2: is beyond a long of 64 bits',
      '/3: is beyond a long of 64 bits',
      '/4: must be an integer of 64 bits: the string is not its decimal digits',
      '/5: must be an integer of 64 bits: the string is not its decimal digits',
      '/6: must be an integer of 64 bits: the string is not its decimal digits',
      '/7: must be an integer',
    ])
  })

  test('are no ints, doubles, objects or strings where JSON has more digits than a number', () => {
    const many = parsed('[9007199254740993]')
    expect(seen(avroCodecOf(arrayOf('int')), many)).toEqual(['/0: is beyond an int of 32 bits'])
    expect(seen(avroCodecOf(arrayOf('string')), many)).toEqual(['/0: must be a string'])
    expect(seen(avroCodecOf(arrayOf(mapOf('int'))), many)).toEqual(['/0: must be an object'])
    expect(seen(avroCodecOf(arrayOf(recordOf('R', {}))), many)).toEqual(['/0: must be an object'])
    expect(seen(avroCodecOf(arrayOf('double')), many)).toEqual([
      '/0: the integer 9007199254740993 is more than a double holds exactly',
    ])
    expect(seen(avroCodecOf(arrayOf('double')), parsed('[9007199254740994]'))).toEqual([9007199254740994])
  })
})

test('a float is what 32 bits hold of it', () => {
  expect(seen(avroCodecOf('float'), 0.1)).toBe(0.10000000149011612)
  expect(seen(avroCodecOf('float'), 1e300)).toEqual([': is beyond a float of 32 bits'])
})

describe('unions', () => {
  const ambiguous = avroCodecOf([
    'null',
    'int',
    'double',
    'string',
    'bytes',
    mapOf('int'),
    recordOf('ns.R', { a: 'int' }),
  ])

  test('are plain for readers where only one branch can be meant', () => {
    const codec = avroCodecOf(
      recordOf('R', { text: ['null', 'string'], size: ['int', colour], list: [arrayOf('int'), 'null'] }),
    )
    const plain = { text: 'x', size: 3, list: [1] }
    expect(seen(codec, plain)).toEqual(plain)
    expect(seen(codec, { text: { string: 'x' }, size: { int: 3 }, list: { array: [1] } })).toEqual(plain)
    expect(seen(codec, { text: null, size: { Colour: 'RED' }, list: null })).toEqual({
      text: null,
      size: 'RED',
      list: null,
    })
  })

  test.each<JsonValue>([
    null,
    { int: 1 },
    { double: 1 },
    { string: 'x' },
    { bytes: 'x' },
    { map: { a: 1 } },
    { map: { int: 1 } },
    { 'ns.R': { a: 1 } },
  ])('are wrapped for readers where another could be: %j', (data) => {
    expect(seen(ambiguous, data)).toEqual(data)
  })

  test('are refused plain where another branch could be meant', () => {
    for (const data of [1, 'x', { a: 1 }, [], true]) {
      expect(seen(ambiguous, data)).toEqual([expect.stringContaining('must be one of null, int, double')])
    }
  })

  test('keep a map whose only key is the name of a branch, and a long in digits beside a string', () => {
    const maps = avroCodecOf(['null', 'string', mapOf('string')])
    expect(seen(maps, { map: { string: 'x' } })).toEqual({ map: { string: 'x' } })
    expect(seen(maps, { map: { a: 'x' } })).toEqual({ a: 'x' })
    expect(seen(maps, { a: 'x', map: 'y' })).toEqual({ a: 'x', map: 'y' })
    const longs = avroCodecOf(['long', 'string'])
    expect(seen(longs, { long: '9007199254740993' })).toEqual({ long: '9007199254740993' })
    expect(seen(longs, { string: '9007199254740993' })).toBe('9007199254740993')
    expect(seen(longs, { long: '5' })).toBe(5)
    expect(seen(avroCodecOf(['null', 'long']), '9007199254740993')).toBe('9007199254740993')
    expect(seen(avroCodecOf(['null', 'double']), 'NaN')).toBe('NaN')
  })
})

describe('what is wrong with JSON', () => {
  const order = avroCodecOf({
    type: 'record',
    name: 'Order',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'n', type: 'int', default: 1 },
      { name: 'lines', type: arrayOf(recordOf('Line', { colour, raw: two })) },
      { name: 'tags', type: mapOf(['null', 'boolean']) },
    ],
  })

  test('is named all at once, with where it is', () => {
    const lines = [{ colour: 'GREEN', raw: 'abc' }, { colour: 'RED', raw: 'a€' }, 3]
    expect(seen(order, { n: 1.5, lines, tags: { 'a/b': 'yes' }, extra: 1 })).toEqual([
      '/id: is required',
      '/n: must be an integer',
      '/lines/0/colour: is none of the symbols of Colour: RED, BLUE',
      '/lines/0/raw: has 3 bytes, where Two has 2',
      '/lines/1/raw: has a character beyond U+00FF, which stands for no byte',
      '/lines/2: must be an object',
      '/tags/a~1b: must be one of null, boolean: as {"<its name>": value} where that is not plain to see',
      '/extra: is no field of Order',
    ])
  })

  test('is named up to a bound, however much it is', () => {
    const coded = avroCodecOf(arrayOf('int')).fromJson(Array.from({ length: 100_000 }, () => 'x'))
    expect(violationsOf(coded)).toHaveLength(50)
  })

  test('is a value of another type', () => {
    const wrong: [JsonValue, JsonValue][] = [
      ['null', 0],
      ['boolean', 1],
      ['int', 2 ** 31],
      ['int', true],
      ['double', '1'],
      ['string', 1],
      ['string', '\ud800'],
      ['bytes', 1],
      [arrayOf('int'), {}],
      [mapOf('int'), []],
      [mapOf('int'), { '\ud800': 1 }],
      [recordOf('R', {}), []],
      [colour, 0],
    ]
    for (const [schema, data] of wrong) expect(seen(avroCodecOf(schema), data)).toHaveLength(1)
  })

  test('is nesting without end', () => {
    const codec = avroCodecOf(recordOf('Node', { next: ['null', 'Node'] }))
    const nestedIn = (depth: number) => {
      let data: JsonValue = null
      for (let level = 0; level < depth; level++) data = { next: data }
      return data
    }
    expect(codec.fromJson(nestedIn(64))).toMatchObject({ ok: true })
    for (const depth of [65, 129, 5_000]) {
      expect(seen(codec, nestedIn(depth))).toEqual([expect.stringContaining('is nested deeper than')])
    }
  })

  test('is data that its defaults would make too large', () => {
    const large = { name: 'f', type: 'string', default: 'x'.repeat(200_000) }
    const codec = avroCodecOf(arrayOf({ type: 'record', name: 'R', fields: [large] }))
    expect(codec.fromJson([{}])).toMatchObject({ ok: true })
    expect(
      seen(
        codec,
        Array.from({ length: 100_000 }, () => ({})),
      ),
    ).toEqual([': is larger than 16777216 bytes in Avro'])
  })
})

describe('__proto__ as the key of a map', () => {
  const codec = avroCodecOf(mapOf(['null', 'string', mapOf('int')]))

  test.each(['{"__proto__":"x"}', '{"__proto__":{"a":1},"constructor":"y"}'])('is a key like any other: %s', (text) => {
    const data = seen(codec, parsed(text))
    expect(JSON.stringify(data)).toBe(text)
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
    expect(Object.prototype).not.toHaveProperty('a')
  })

  test('is no field of a record', () => {
    expect(seen(avroCodecOf(recordOf('R', {})), parsed('{"__proto__":{"a":1}}'))).toEqual([
      '/__proto__: is no field of R',
    ])
  })
})
