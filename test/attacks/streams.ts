/** WebSockets of attackers: upgrades that are none, and frames that RFC 6455 forbids or that are meant to exhaust. */
import { type Attack, plain } from './case.ts'

const key = 'sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg=='
const wanted = ['connection: Upgrade', 'upgrade: websocket', 'sec-websocket-version: 13', key]
const line = 'GET /v1/events/stream?topic=order.placed HTTP/1.1'

/** A frame as its first byte, its payload, and whether it is masked as a client's must be. */
function frame(first: number, payload: Uint8Array = new Uint8Array(), masked = true): Uint8Array {
  const { length } = payload
  const bit = masked ? 0x80 : 0
  const size = length < 126 ? [bit | length] : [bit | 126, length >> 8, length & 255]
  const mask = masked ? [0, 0, 0, 0] : []
  return Buffer.concat([Buffer.from([first, ...size, ...mask]), payload])
}

const text = (value: string) => Buffer.from(value)
const frames: readonly (readonly [string, Uint8Array])[] = [
  ['a frame without a mask', frame(0x81, text('a'), false)],
  ['a reserved opcode', frame(0x83, text('a'))],
  ['a reserved control opcode', frame(0x8b)],
  ['the first reserved bit', frame(0xc1, text('a'))],
  ['the second reserved bit', frame(0xa1, text('a'))],
  ['the third reserved bit', frame(0x91, text('a'))],
  ['a text of 2000 bytes', frame(0x81, Buffer.alloc(2_000, 97))],
  ['a length of 2^63', Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
  ['a length of 2^40', Buffer.from([0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
  [
    'fragments that are too much together',
    Buffer.concat([frame(0x01, Buffer.alloc(600, 97)), frame(0x80, Buffer.alloc(600, 97))]),
  ],
  ['a continuation of nothing', frame(0x80, text('a'))],
  ['a text within a text', Buffer.concat([frame(0x01, text('a')), frame(0x81, text('b'))])],
  ['a ping in fragments', frame(0x09, text('a'))],
  ['a ping of 126 bytes', frame(0x89, Buffer.alloc(126))],
  ['a close of one byte', frame(0x88, Buffer.from([3]))],
  ['a close with a code that is none', frame(0x88, Buffer.from([0, 1]))],
  ['a close whose reason is no UTF-8', frame(0x88, Buffer.from([3, 232, 0xff, 0xfe]))],
  ['a text that is no UTF-8', frame(0x81, Buffer.from([0xff, 0xfe]))],
  ['HTTP after the upgrade', Buffer.from('GET /v1/event-types HTTP/1.1\r\nhost: a\r\n\r\n')],
  [
    '20 000 pings and an end',
    Buffer.concat([...Array.from({ length: 20_000 }, () => frame(0x89, text('ping'))), frame(0x88)]),
  ],
  [
    '20 000 empty fragments and an end',
    Buffer.concat([frame(0x01), ...Array.from({ length: 20_000 }, () => frame(0x00)), frame(0x83)]),
  ],
]

const upgrades: readonly (readonly [string, readonly string[], readonly number[]])[] = [
  ['no key', wanted.filter((header) => header !== key), [400]],
  ['a key that is none', wanted.map((header) => (header === key ? 'sec-websocket-key: a' : header)), [400]],
  ['two keys', [...wanted, key], [400]],
  ['version 8', wanted.map((header) => header.replace('13', '7')), [400, 426]],
  ['no version', wanted.filter((header) => !header.includes('version')), [400, 426]],
  ['an upgrade to h2c', wanted.map((header) => header.replace('websocket', 'h2c')), [400]],
  ['no upgrade at all', [], [400]],
  ['protocols without end', [...wanted, `sec-websocket-protocol: ${'a,'.repeat(5_000)}a`], [400, 431]],
]

export function streamAttacks(token: string): readonly Attack[] {
  const withoutToken = (name: string, headers: readonly string[]) => ({
    name: `upgrade: ${name}`,
    bytes: plain('', line, [...wanted, ...headers]),
    answers: [401],
  })
  return [
    ...frames.map(([name, bytes]) => ({
      name: `frame: ${name}`,
      bytes: plain(token, line, wanted),
      then: bytes,
      answers: [101],
    })),
    ...upgrades.map(([name, headers, answers]) => ({
      name: `upgrade: ${name}`,
      bytes: plain(token, line, headers),
      answers,
    })),
    withoutToken('no token', []),
    withoutToken('a token that is none as a subprotocol', ['sec-websocket-protocol: bearer, a.b.c']),
    withoutToken('a token that names itself no bearer', [`sec-websocket-protocol: ${token}`]),
    withoutToken('a token in the wrong place', [`cookie: token=${token}`]),
    {
      name: 'upgrade: a token in the query',
      bytes: plain('', `GET /v1/events/stream?topic=order.placed&token=${token} HTTP/1.1`, wanted),
      answers: [401],
    },
    {
      name: 'upgrade: of a post',
      bytes: plain(token, 'POST /v1/events/stream HTTP/1.1', [...wanted, 'content-length: 0']),
      answers: [405],
    },
    {
      name: 'upgrade: of a route that is none',
      bytes: plain(token, 'GET /v1/event-types HTTP/1.1', wanted),
      answers: [0, 404, 200],
    },
    {
      name: 'upgrade: to an internal topic',
      bytes: plain(token, line.replace('order.placed', '__consumer_offsets'), wanted),
      answers: [404],
    },
  ]
}
