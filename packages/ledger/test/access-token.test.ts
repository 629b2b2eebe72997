import { expect, test, vi } from 'vitest'
import { accessToken } from '../src/access-token.ts'

const minuteMs = 60_000

/** An issuer of tokens that are good for ten minutes each, and a clock. */
function issuer(tokenOf = (name: string, expiresMs: number) => jwt({ name, exp: expiresMs / 1_000 })) {
  let nowMs = 0
  const issue = vi.fn((scopes: readonly string[]) =>
    Promise.resolve(tokenOf(`${scopes.join()} ${issue.mock.calls.length}`, nowMs + 10 * minuteMs)),
  )
  const token = accessToken(issue, ['events:write:x'], () => nowMs)
  return { issue, token, at: (ms: number) => (nowMs = ms) }
}

function jwt(claims: object): string {
  return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
}

test('a token is issued for its scopes, once for all who ask', async () => {
  const { issue, token } = issuer()
  const [first, second] = await Promise.all([token.current(), token.current()])
  expect(first).toBe(jwt({ name: 'events:write:x 1', exp: 600 }))
  expect(second).toBe(first)
  expect(await token.current()).toBe(first)
  expect(issue).toHaveBeenCalledExactlyOnceWith(['events:write:x'])
})

test('it is renewed a minute before it expires', async () => {
  const { issue, token, at } = issuer()
  await token.current()
  at(9 * minuteMs)
  await token.current()
  expect(issue).toHaveBeenCalledTimes(1)
  at(9 * minuteMs + 1)
  const [first, second] = await Promise.all([token.current(), token.current()])
  expect(first).toBe(second)
  expect(issue).toHaveBeenCalledTimes(2)
})

test('one that was refused is replaced', async () => {
  const { issue, token } = issuer()
  const refused = await token.current()
  token.renew()
  expect(await token.current()).not.toBe(refused)
  expect(issue).toHaveBeenCalledTimes(2)
})

test('one that does not say when it expires is kept for a minute', async () => {
  const { issue, token, at } = issuer(() => 'opaque')
  await token.current()
  at(minuteMs)
  await token.current()
  expect(issue).toHaveBeenCalledTimes(1)
  at(minuteMs + 1)
  await token.current()
  expect(issue).toHaveBeenCalledTimes(2)
})

test('after a failure the next who asks tries again', async () => {
  const { issue, token } = issuer()
  issue.mockRejectedValueOnce(new Error('the issuer is away'))
  await expect(token.current()).rejects.toThrow('the issuer is away')
  await expect(token.current()).resolves.toBeTruthy()
})
