import { expect, test } from 'vitest'
import { compileCodec } from '../src/compile-codec.ts'

const codec = compileCodec({ format: 'json', schema: '{"type":"object"}', references: [] })

test.each([
  ['{"n":9007199254740993}', '/n', /beyond 2\^53/],
  ['{"a":1,"a":1}', '/a', /more than once/],
  ['{"a":"\\ud800"}', '/a', /surrogate/],
  ['\uFEFF{}', '', /byte order mark/],
  ['[]', '', /must be object, not array/],
])('bytes that say what JSON cannot keep do not fit: %s', (text, pointer, detail) => {
  const coded = codec.fromBytes(Buffer.from(text))
  const [violation] = coded.ok ? [] : coded.violations
  expect(violation?.pointer).toBe(pointer)
  expect(violation?.detail).toMatch(detail)
})

test('bytes with the name __proto__ are kept', () => {
  const bytes = Buffer.from('{"__proto__":{"a":1}}')
  expect(codec.fromBytes(bytes)).toMatchObject({ ok: true, value: bytes })
})

test.each(['[]', '{', '{"a":1,"a":1}', 'true'])('a text that is no JSON Schema is refused: %s', (schema) => {
  const compile = () => compileCodec({ format: 'json', schema, references: [] })
  expect(compile).toThrow(expect.objectContaining({ code: 'registry.refused' }))
})
