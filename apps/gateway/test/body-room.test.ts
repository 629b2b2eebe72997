import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { createLogger } from '@millrace/service/logger'
import { expect, onTestFinished, test, vi } from 'vitest'
import { BodyRoom, BodyShare } from '../src/body-room.ts'
import { openBody } from '../src/content-encoding.ts'
import { createGatewayMetrics } from '../src/metrics.ts'
import { createServer } from '../src/server.ts'

/** A server with room for 1 000 bytes, and a route that answers when the test lets it. */
async function server() {
  const metrics = createGatewayMetrics()
  const app = createServer(metrics, createLogger('test', 'silent'), { limits: { bodiesBytesMax: 1_000 } })
  onTestFinished(() => app.close())
  const entered: (() => void)[] = []
  app.post('/', { bodyLimit: 900 }, async () => {
    await new Promise<void>((resolve) => entered.push(resolve))
    return 'taken'
  })
  app.post('/length', { bodyLimit: 900 }, ({ body }) => String(Buffer.isBuffer(body) ? body.length : -1))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const taken = async () => /^millrace_request_bodies_bytes (\d+)$/m.exec((await metrics.exposition()).body)?.[1]
  return { url, entered, taken }
}

const send = (url: string, bytes: number) => fetch(url, { method: 'POST', body: 'x'.repeat(bytes) })

function sendPieces(url: string, pieces: number, signal: AbortSignal | null = null): Promise<Response> {
  const body = ReadableStream.from(
    (async function* () {
      for (let piece = 0; piece < pieces; piece++) yield await Promise.resolve(Buffer.alloc(100))
      if (signal) await new Promise(() => undefined)
    })(),
  )
  return fetch(url, { method: 'POST', body, duplex: 'half', signal } as const)
}

test('what all bodies take together is bounded, and given back with the answer', async () => {
  const { url, entered, taken } = await server()
  const first = send(url, 800)
  await vi.waitUntil(() => entered.length === 1)
  expect(await taken()).toBe('800')
  const second = await send(url, 300)
  expect(second.status).toBe(503)
  expect(second.headers.get('retry-after')).toBe('1')
  expect((await send(url, 901)).status).toBe(413)
  entered.shift()?.()
  expect(await (await first).text()).toBe('taken')
  await vi.waitUntil(async () => (await taken()) === '0')
  const third = send(url, 300)
  await vi.waitUntil(() => entered.length === 1)
  entered.shift()?.()
  expect((await third).status).toBe(200)
})

test('a body of no known length is counted as it arrives', async () => {
  const { url, entered } = await server()
  const first = sendPieces(url, 8)
  await vi.waitUntil(() => entered.length === 1)
  expect((await sendPieces(url, 3)).status).toBe(503)
  entered.shift()?.()
  expect((await first).status).toBe(200)
})

test('a client that goes in the middle of its body gives back what it took', async () => {
  const { url, taken } = await server()
  const gone = new AbortController()
  const sending = sendPieces(url, 7, gone.signal)
  await vi.waitUntil(async () => (await taken()) === '700')
  gone.abort()
  await expect(sending).rejects.toThrow()
  await vi.waitUntil(async () => (await taken()) === '0')
})

test('a compressed body is counted by what it becomes', async () => {
  const packed = gzipSync(Buffer.alloc(5_000))
  const read = (share: BodyShare) => openBody(Readable.from([packed]), 'gzip', 10_000, share).toArray()
  expect(packed.length).toBeLessThan(100)
  await expect(read(new BodyShare(new BodyRoom(4_999)))).rejects.toMatchObject({ problem: { status: 503 } })
  expect(Buffer.concat(await read(new BodyShare(new BodyRoom(5_000))))).toHaveLength(5_000)
})

test('every route takes compressed bodies, up to what it takes of others', async () => {
  const { url, taken } = await server()
  const post = (bytes: number, encoding = 'gzip') =>
    fetch(`${url}/length`, {
      method: 'POST',
      headers: { 'content-encoding': encoding },
      body: gzipSync(Buffer.alloc(bytes)),
    })
  expect(await (await post(900)).text()).toBe('900')
  expect((await post(901)).status).toBe(413)
  const unknown = await post(900, 'compress')
  expect(unknown.status).toBe(415)
  expect(unknown.headers.get('accept-encoding')).toBe('gzip, br, zstd')
  await vi.waitUntil(async () => (await taken()) === '0')
})

test('a share that has ended has given everything back, and takes nothing any more', () => {
  const room = new BodyRoom(10)
  const share = new BodyShare(room)
  expect(share.take(11)).toBe(false)
  expect(share.take(10)).toBe(true)
  share.give(4)
  share.end()
  share.give(4)
  expect(share.take(1)).toBe(false)
  expect(room.taken).toBe(0)
})
