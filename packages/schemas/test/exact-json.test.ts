import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ExactInteger, inputViolation, jsonViolation, parseExactJson } from '../src/exact-json.ts'

const jsonCharacters = ['{', '}', '[', ']', '"', ':', ',', '\\', 'u', '0', 'd', 'E', '1', 'e', '-', '.', ' ']
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

function parse(text: string): unknown {
  const parsed = parseExactJson(Buffer.from(text))
  if (!parsed.ok) throw new Error(parsed.detail)
  return parsed.value
}

function isPlain(text: string): boolean {
  const parsed = parseExactJson(Buffer.from(text))
  return parsed.ok && parsed.plain
}

describe('bytes', () => {
  test.each([
    ['no UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 'is not UTF-8'],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'is not UTF-8'],
    ['an overlong form', Buffer.from([0x22, 0xc0, 0x80, 0x22]), 'is not UTF-8'],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le'), 'is not JSON'],
    ['a byte order mark', Buffer.from('\uFEFF{"a":1}'), 'begins with a byte order mark'],
    ['nothing', Buffer.alloc(0), 'is not JSON'],
    ['a bare name', Buffer.from('{a:1}'), 'is not JSON'],
    ['something behind it', Buffer.from('{} {}'), 'is not JSON'],
    ['NaN', Buffer.from('{"a":NaN}'), 'is not JSON'],
    ['a leading zero', Buffer.from('[01]'), 'is not JSON'],
    ['a raw control character', Buffer.from('"\0"'), 'is not JSON'],
    ['an open string', Buffer.from('"\\'), 'is not JSON'],
  ])('with %s are refused', (_what, bytes, detail) => {
    expect(parseExactJson(bytes)).toEqual({ ok: false, detail })
  })

  test('of any kind end in an answer', () => {
    const bytes = fc.oneof(fc.uint8Array(), fc.string({ unit: fc.constantFrom(...jsonCharacters) }))
    fc.assert(
      fc.property(bytes, (sent) => {
        const parsed = parseExactJson(typeof sent === 'string' ? Buffer.from(sent) : sent)
        expect(typeof parsed.ok).toBe('boolean')
      }),
    )
  })
})

describe('a value', () => {
  test.each([
    ['an integer beyond 2^53', '{"data":{"n":9007199254740993}}', '/data/n', /9007199254740993 is beyond 2\^53/],
    ['a negative integer beyond 2^53', '{"a":[0,-9007199254740993]}', '/a/1', /beyond 2\^53/],
    ['a number without end', '{"a/b":1e400}', '/a~1b', /too large/],
    ['a long number without end', `[${'9'.repeat(310)}.5]`, '/0', /too large/],
    ['a number that would be zero', '[1,-1E-400]', '/1', /too small/],
    ['a long number that would be zero', `[0.${'0'.repeat(400)}1]`, '/0', /too small/],
    ['a name given twice', '{"a":[{"b":1,"b":1}]}', '/a/0/b', /more than once/],
    ['a name given twice, once escaped', '{"a":1,"\\u0061":2}', '/a', /more than once/],
    [
      'a name given twice in many',
      `{${Array.from({ length: 200 }, (_, n) => `"n${n}":0,`).join('')}"n7":1}`,
      '/n7',
      /more/,
    ],
    ['__proto__ given twice', '{"__proto__":1,"__proto__":2}', '/__proto__', /more than once/],
    ['a lone high surrogate', '["\\ud83d"]', '/0', /surrogate/],
    ['a lone low surrogate', '["\\uDE00\\ud83d"]', '/0', /surrogate/],
    ['two high surrogates', '["\\ud83d\\ud83d\\ude00"]', '/0', /surrogate/],
    ['a lone surrogate behind a backslash', '["\\\\ud83d\\ude00"]', '/0', /surrogate/],
    ['a lone surrogate in a name', '{"\\ud83d":0}', '/\ud83d', /surrogate/],
    ['the character U+0000', '{"a":"x\\u0000y"}', '/a', /U\+0000/],
    ['the character U+0000 in a name', '{"\\u0000":1}', '/\0', /U\+0000/],
    ['more than 64 levels', `{"data":${nested(64)}}`, `/data${'/0'.repeat(63)}`, /deeper than 64/],
    ['levels without end', nested(100_000), '/0'.repeat(64), /deeper than 64/],
    ['levels without end beside a long number', `[1234567890123456789,${nested(100_000)}]`, '/0', /beyond 2\^53/],
  ])('with %s cannot be kept as JSON', (_what, text, pointer, detail) => {
    const violation = jsonViolation(parse(text))
    expect(violation?.pointer).toBe(pointer)
    expect(violation?.detail).toMatch(detail)
  })

  test.each([
    '{"n":9007199254740991}',
    '{"n":-9007199254740991}',
    '{"n":12345678901234567.5}',
    '{"n":"9007199254740993"}',
    '{"9007199254740993":1}',
    '{"a":{"a":[{"a":1},{"a":1}]}}',
    '[1e2,-0.5E+3,5e-324,0e-999,true,false,null,"",{},[ ]]',
    '"\\\\ud83d \\\\u0000 \\" \\ud83d\\ude00 \\u00fc"',
    nested(64),
  ])('is kept as it is: %s', (text) => {
    const parsed = parse(text)
    expect(jsonViolation(parsed)).toBeUndefined()
    expect(JSON.stringify(parsed)).toEqual(JSON.stringify(JSON.parse(text)))
  })

  test('is deeper than its batch by what the batch adds', () => {
    const batch = parse(`[${nested(64)},${nested(65)},9007199254740993]`)
    const events: unknown[] = Array.isArray(batch) ? batch : []
    expect(events.map((event) => jsonViolation(event)?.pointer)).toEqual([undefined, '/0'.repeat(64), ''])
  })

  test('keeps __proto__ as a member like any other, plain or not', () => {
    for (const text of ['{"__proto__":{"admin":true}}', '{"__proto__":{"admin":true},"n":1e0}']) {
      const parsed = parse(text)
      expect(parsed).not.toHaveProperty('admin')
      expect(JSON.stringify(parsed)).toBe(text.replace('1e0', '1'))
    }
    expect(Object.keys(Object.prototype)).toEqual([])
    expect({}).not.toHaveProperty('admin')
  })

  test('has doubles for its fractions, whose further digits are not kept', () => {
    expect(JSON.stringify(parse('[0.1234567890123456789,-0]'))).toBe('[0.12345678901234568,0]')
    expect(isPlain('[0.1234567890123456789]')).toBe(true)
  })
})

test('an integer beyond 2^53 is there for formats that have such integers', () => {
  const value = parse('{"n":[18446744073709551615]}')
  expect(value).toEqual({ n: [new ExactInteger('18446744073709551615')] })
  expect(inputViolation(value)).toBeUndefined()
  expect(JSON.stringify(value)).toBe('{"n":["18446744073709551615"]}')
  expect(inputViolation(parse('{"n":1,"n":1}'))?.pointer).toBe('/n')
})

test('any JSON is what JSON.parse makes of it, unless a violation is named; what is called plain has none', () => {
  const texts = fc.oneof(
    fc.json({ maxDepth: 5 }),
    fc.json({ stringUnit: 'binary' }),
    fc
      .array(
        fc.constantFrom('1', '1e5', '-0.25', '12345678901234567', '"a"', '"\\n"', '"\\ud83d\\ude00"', '{ "a" : 1 }'),
      )
      .map((items) => `[${items.join()}]`),
  )
  fc.assert(
    fc.property(texts, fc.boolean(), (text, closer) => {
      // A small exponent makes it take the closer look.
      const sent = closer ? `[${text} , 1e0]` : text
      const value = parse(sent)
      const violation = jsonViolation(value)
      if (isPlain(sent)) expect(violation).toBeUndefined()
      if (violation === undefined) expect(value).toEqual(JSON.parse(sent))
      else expect(violation.detail).toMatch(/surrogate|U\+0000|2\^53/)
    }),
    { numRuns: 500 },
  )
})

test.each([
  ['numbers that take a closer look', `[${'1e0,'.repeat(260_000)}1]`],
  ['names', `{${Array.from({ length: 80_000 }, (_, n) => `"n${n}":1`).join()}}`],
  ['escapes', `["${'\\\\'.repeat(260_000)}${'\\"'.repeat(260_000)}\\u0000"]`],
  ['levels', `[1e0,${nested(130_000)}]`],
  ['integers beyond 2^53', `[${'12345678901234567890,'.repeat(50_000)}1]`],
])('a mebibyte of %s takes time in proportion to its length', (_what, text) => {
  const startedAt = process.cpuUsage().user
  parse(text)
  expect(process.cpuUsage().user - startedAt).toBeLessThan(1_000_000)
})

describe('objects', () => {
  const object = (names: number, value: unknown = 0) =>
    Object.fromEntries(Array.from({ length: names }, (_, n) => [`name-${n}`, value]))
  const refusal = (value: unknown) => inputViolation(parse(JSON.stringify(value)))

  test('may have 16 384 names together where they are large', () => {
    expect(refusal(object(16_384))).toBeUndefined()
    expect(refusal([object(16_000), object(384)])).toBeUndefined()
    expect(refusal(object(16_385))).toMatchObject({ pointer: '', detail: /more than 16384 members/ })
    expect(refusal([object(16_000), object(385)])).toBeDefined()
    expect(refusal({ deep: [[object(16_385)]] })).toBeDefined()
  })

  test('are those with more than 128 names: others count for nothing', () => {
    expect(refusal(Array.from({ length: 1_000 }, () => object(128)))).toBeUndefined()
    expect(refusal([object(16_384), object(128)])).toBeUndefined()
    expect(refusal([object(16_384), object(129)])).toBeDefined()
    expect(refusal(object(129, object(129)))).toBeDefined()
  })

  test('are, with lists, at most 131 072', () => {
    const brackets = '[{'
    expect(refusal(Array(131_071).fill([]))).toBeUndefined()
    expect(refusal([...Array<string>(50_000).fill(brackets), ...Array<object>(131_071).fill({})])).toBeUndefined()
    expect(refusal(Array(131_072).fill({}))).toMatchObject({
      pointer: '',
      detail: /more than 131072 objects and lists/,
    })
    expect(refusal({ deep: [Array(70_000).fill({}), Array(70_000).fill([])] })).toBeDefined()
  })

  test('are told from what only looks like one', () => {
    const text = '\\":,{"a":1,'.repeat(20_000)
    expect(refusal([text, { [text]: text }])).toBeUndefined()
    expect(refusal(['"'.repeat(100_000), object(16_384)])).toBeUndefined()
  })

  test('may not hide below what is nested too deep', () => {
    const hidden = `${'['.repeat(500)}${JSON.stringify(object(16_385))}${']'.repeat(500)}`
    expect(inputViolation(parse(hidden))).toMatchObject({ pointer: '' })
  })

  test('are found in bytes of any kind, which end in an answer', () => {
    for (const text of [
      '"'.repeat(200_001),
      '\\'.repeat(200_001),
      '}'.repeat(200_000),
      '{'.repeat(200_000),
      ':'.repeat(200_000),
    ]) {
      expect(typeof parseExactJson(Buffer.from(text)).ok).toBe('boolean')
    }
  })
})
