import { expect, test } from 'vitest'
import { ProblemError } from '../src/problem.ts'
import { StreamRoom } from '../src/stream-room.ts'
import { subscriber } from './subscriber.ts'

const options = { bufferBytesMax: 400, buffersBytesMax: 1_000, waitMsMax: 10_000 }
const staying = () => new AbortController().signal

test('a stream may have as much waiting as one may, and beyond the bound of all no more than an equal share', () => {
  const room = new StreamRoom(options)
  expect(room.bufferBytesMax()).toBe(400)
  expect(room.sample([400, 300, 300])).toBe(1_000)
  expect(room.bufferBytesMax()).toBe(400)
  room.sample([400, 400, 200, 1, 0])
  expect(room.bufferBytesMax()).toBe(200)
  room.sample([600, 500])
  expect(room.bufferBytesMax()).toBe(400)
  room.sample([])
  expect(room.bufferBytesMax()).toBe(400)
})

test('what does not leave at once counts from when it is written', () => {
  const room = new StreamRoom(options)
  const { outlet, state } = subscriber()
  const counting = room.counting({ ...outlet, write: ({ length }) => (state.bufferedBytes += length) })
  room.sample([100, 0, 0, 0, 0])
  counting.write(Buffer.alloc(900))
  expect(room.bufferBytesMax()).toBe(400)
  counting.write(Buffer.alloc(1))
  expect(room.bufferBytesMax()).toBe(200)
  room.sample([state.bufferedBytes, 0, 0, 0, 0])
  expect(room.bufferBytesMax()).toBe(400)
  room.counting(outlet).write(Buffer.alloc(2_000))
  expect(room.bufferBytesMax()).toBe(400)
})

test('a page waits until there is room', async () => {
  const room = new StreamRoom(options)
  await room.waitForRoom(staying())
  room.sample([900, 101])
  let isIn = false
  const waiting = room.waitForRoom(staying()).then(() => {
    isIn = true
  })
  room.sample([1_001])
  await Promise.resolve()
  expect(isIn).toBe(false)
  room.sample([1_000])
  await waiting
})

test('a page that waits too long is refused, and one that nobody wants any more is not waited for', async () => {
  const room = new StreamRoom({ ...options, waitMsMax: 20 })
  room.sample([1_001])
  await expect(room.waitForRoom(staying())).rejects.toThrow(ProblemError)
  const gone = new AbortController()
  const waiting = room.waitForRoom(gone.signal)
  gone.abort()
  await waiting
})
