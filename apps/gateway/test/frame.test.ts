import { expect, test } from 'vitest'
import { decodeCursor } from '../src/cursor.ts'
import { Batch, controlFrame, webSocketFrame } from '../src/frame.ts'
import { item, textsOf } from './subscriber.ts'

test.each([0, 1, 125, 126, 65_535, 65_536, 200_000])('a text of %i bytes is one WebSocket frame', (length) => {
  const text = 'é'.repeat(Math.floor(length / 2)) + 'x'.repeat(length % 2)
  expect(textsOf(Buffer.concat([webSocketFrame(text), webSocketFrame('next')]))).toEqual([text, 'next'])
})

test('a batch has a cursor after each event, and is encoded once', () => {
  const next = new Map([
    [0, 5n],
    [1, 7n],
  ])
  const batch = new Batch('t', next, [item('a', 1, 7), item('b', 0, 9)])
  expect(decodeCursor('t', batch.before)).toEqual(
    new Map([
      [0, 5n],
      [1, 7n],
    ]),
  )
  expect(decodeCursor('t', batch.cursor(0))).toEqual(
    new Map([
      [0, 5n],
      [1, 8n],
    ]),
  )
  expect(decodeCursor('t', batch.after)).toEqual(
    new Map([
      [0, 10n],
      [1, 8n],
    ]),
  )
  expect(next).toEqual(
    new Map([
      [0, 10n],
      [1, 8n],
    ]),
  )
  expect(textsOf(batch.whole('websocket'))).toEqual([
    JSON.stringify({ ...item('a', 1, 7), cursor: batch.cursor(0) }),
    JSON.stringify({ ...item('b', 0, 9), cursor: batch.after }),
  ])
  expect(batch.whole('websocket')).toBe(batch.whole('websocket'))
  expect(batch.frame('sse', 0).toString()).toBe(
    `id: ${batch.cursor(0)}\ndata: ${JSON.stringify({ ...item('a', 1, 7), cursor: batch.cursor(0) })}\n\n`,
  )
})

test('a gap is an object of its own, and in server-sent events an event of its own that moves the id', () => {
  const gap = { count: 3, from: 'a', to: 'b' }
  expect(textsOf(controlFrame('websocket', { gap }))).toEqual([JSON.stringify({ gap })])
  expect(controlFrame('sse', { gap }).toString()).toBe(`id: b\nevent: gap\ndata: ${JSON.stringify({ gap })}\n\n`)
  expect(controlFrame('sse', { cursor: 'c' }).toString()).toBe('id: c\n\n')
})
