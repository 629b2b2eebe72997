import { expect, test } from 'vitest'
import { bearerToken, subprotocolToken } from '../src/bearer-token.ts'

test.each(['Bearer a.b-_9.c', 'bearer a.b-_9.c', 'BEARER a.b-_9.c'])('"%s" carries a token', (header) => {
  expect(bearerToken(header)).toBe('a.b-_9.c')
})

test.each([
  undefined,
  '',
  'a.b.c',
  'Basic a.b.c',
  'Bearer',
  'Bearer a.b',
  'Bearer a.b.',
  'Bearer a.b.c d',
  'Bearer a.b.c.d',
])('"%s" carries none', (header) => {
  expect(bearerToken(header)).toBeUndefined()
})

test('a WebSocket names its token after the subprotocol "bearer"', () => {
  expect(subprotocolToken('bearer, a.b.c')).toBe('a.b.c')
  expect(subprotocolToken('bearer,a.b.c')).toBe('a.b.c')
})

test.each([undefined, '', 'bearer', 'a.b.c', 'graphql-ws, a.b.c'])('the subprotocols "%s" carry none', (header) => {
  expect(subprotocolToken(header)).toBeUndefined()
})
