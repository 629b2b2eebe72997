import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { parseBody } from '../src/json-body.ts'

test('a body is parsed', async () => {
  expect(await parseBody(Buffer.from('{"a":["ü",1.5,true,null]}'))).toEqual({
    ok: true,
    value: { a: ['ü', 1.5, true, null] },
    plain: true,
  })
})

test.each([
  ['not UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), 'the body is not UTF-8'],
  ['empty', Buffer.alloc(0), 'the body is not JSON'],
  ['long and not JSON', Buffer.alloc(200_000, 0x61), 'the body is not JSON'],
])('a body that is %s is refused', async (_what, body, detail) => {
  await expect(parseBody(body)).rejects.toMatchObject({ problem: { status: 400, detail } })
})

test('a long body is parsed in several turns of the event loop, and says the same', async () => {
  const value = { numbers: Array.from({ length: 50_000 }, (_, n) => n), tiny: 1e-7 }
  let turns = 0
  const body = parseBody(Buffer.from(JSON.stringify(value)))
  const end = new AbortController()
  const counting = (async () => {
    for (; !end.signal.aborted; turns++) await setImmediate()
  })()
  expect(await body).toEqual({ ok: true, value, plain: true })
  end.abort()
  await counting
  expect(turns).toBeGreaterThanOrEqual(2)
})
