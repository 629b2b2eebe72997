import { expect, test } from 'vitest'
import { statusOf } from './status-of.ts'
import { parseBody } from '../src/json-body.ts'

test('a body is parsed', () => {
  expect(parseBody(Buffer.from('{"a":["ü",1.5,true,null]}'))).toEqual({
    ok: true,
    value: { a: ['ü', 1.5, true, null] },
    plain: true,
  })
})

test.each([
  ['not UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), /the body is not UTF-8/],
  ['empty', Buffer.alloc(0), /the body is not JSON/],
])('a body that is %s is refused', (_what, body, detail) => {
  expect(() => parseBody(body)).toThrow(detail)
  expect(statusOf(() => parseBody(body))).toBe(400)
})
