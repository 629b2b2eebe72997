import { describe, expect, test } from 'vitest'
import { statusOf } from './status-of.ts'
import { jsonViolation, parseJsonBody } from '../src/json-body.ts'

const parse = (text: string) => parseJsonBody(Buffer.from(text))
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

describe('a body', () => {
  test('is JSON in UTF-8, with a byte order mark or without', () => {
    expect(parse('{"a":["ü",1.5,true,null]}')).toEqual({ a: ['ü', 1.5, true, null] })
    expect(parse('\uFEFF{"a":1}')).toEqual({ a: 1 })
  })

  test.each([
    ['no UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), /not UTF-8/],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), /not UTF-8/],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le'), /not JSON/],
    ['empty', Buffer.alloc(0), /not JSON/],
    ['no JSON', Buffer.from('{a:1}'), /not JSON/],
    ['JSON with something behind it', Buffer.from('{} {}'), /not JSON/],
    ['NaN', Buffer.from('{"a":NaN}'), /not JSON/],
  ])('that is %s is refused', (_what, body, detail) => {
    expect(() => parseJsonBody(body)).toThrow(detail)
    expect(statusOf(() => parseJsonBody(body))).toBe(400)
  })

  test('keeps __proto__ as a member like any other', () => {
    const parsed = parse('{"__proto__":{"admin":true}}')
    expect(parsed).not.toHaveProperty('admin')
    expect(JSON.stringify(parsed)).toBe('{"__proto__":{"admin":true}}')
  })

  test('nested without end ends in an answer', () => {
    expect(jsonViolation(parse(nested(500_000)))?.detail).toMatch(/nested deeper/)
    expect(() => parse(`[1234567890123456,${nested(500_000)}]`)).toThrow(/nested too deeply/)
  })
})

describe('a value', () => {
  test.each([
    ['an integer beyond 2^53', '{"data":{"n":9007199254740993}}', '/data/n', /9007199254740993 is beyond 2\^53/],
    ['a negative integer beyond 2^53', '{"a":[0,-9007199254740993]}', '/a/1', /beyond 2\^53/],
    ['a number without end', '{"a/b":1e400}', '/a~1b', /too large/],
    ['more than 64 levels', `{"data":${nested(64)}}`, `/data${'/0'.repeat(63)}`, /deeper than 64/],
  ])('with %s cannot be kept as it is', (_what, text, pointer, detail) => {
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
    nested(64),
  ])('is kept as it is: %s', (text) => {
    const parsed = parse(text)
    expect(jsonViolation(parsed)).toBeUndefined()
    expect(JSON.parse(JSON.stringify(parsed))).toEqual(JSON.parse(text))
  })
})
