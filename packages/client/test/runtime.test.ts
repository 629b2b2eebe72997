import { createServer, type ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { type ClientOptions, openClient } from '../src/runtime.ts'

type Opened = { readonly from: string | null; readonly atMs: number }
type Answer = (answer: ServerResponse, connection: number) => void

const head = (answer: ServerResponse, retryMs = 1) => {
  answer.writeHead(200, { 'content-type': 'text/event-stream' })
  answer.write(`retry: ${retryMs}\nid: c0\n\n`)
}
const event = (id: string) =>
  `id: c${id}\ndata: ${JSON.stringify({ event: { id }, partition: 0, offset: 0, cursor: `c${id}` })}\n\n`

/** A server of a topic whose streams are answered one after the other, and a subscription to it. */
async function serve(answers: readonly Answer[], options: Partial<ClientOptions> = {}, signal?: AbortSignal) {
  const opened: Opened[] = []
  const server = createServer((request, answer) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://server')
    if (pathname !== '/v1/events/stream') {
      answer.end(JSON.stringify({ topic: 'orders', events: [], cursor: 'c0' }))
      return
    }
    opened.push({ from: searchParams.get('from'), atMs: performance.now() })
    answers[Math.min(opened.length, answers.length) - 1]?.(answer, opened.length)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const end = new AbortController()
  onTestFinished(() => {
    end.abort()
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const client = openClient({ url: `http://127.0.0.1:${port}`, token: () => 't', source: '/s', ...options })
  const frames = client.subscribe('order', { from: 'earliest', signal: signal ?? end.signal })
  const next = async () => {
    const { value } = await frames.next()
    return value && 'event' in value ? value.event.id : value
  }
  const waits = () => opened.slice(1).map(({ atMs }, index) => atMs - (opened[index]?.atMs ?? 0))
  return { opened, frames, next, waits }
}

const refuse = (status: number, headers: Readonly<Record<string, string>> = {}): Answer => {
  return (answer) => answer.writeHead(status, headers).end(JSON.stringify({ title: 't', status, detail: 'd' }))
}
const complete: Answer = (answer) => {
  head(answer)
  answer.end(event('last'))
}

test('a stream that falls silent is opened again where it was', async () => {
  const silent: Answer = (answer) => {
    head(answer)
    answer.write(event('1'))
  }
  const { opened, next } = await serve([silent, complete], { idleTimeoutMs: 200 })
  expect([await next(), await next()]).toEqual(['1', 'last'])
  expect(opened.map(({ from }) => from)).toEqual(['earliest', 'c1'])
})

test.each([
  ['no answer at all', () => undefined],
  ['half a problem', (answer: ServerResponse) => answer.writeHead(503).flushHeaders()],
] satisfies [string, Answer][])('a server that gives %s is asked again', async (_what, stuck) => {
  const { opened, next } = await serve([stuck, complete], { idleTimeoutMs: 200 })
  expect(await next()).toBe('last')
  expect(opened).toHaveLength(2)
})

test('heartbeats keep a stream, and so does a subscriber that takes its time', async () => {
  const beating: Answer = (answer) => {
    head(answer)
    answer.write(event('1'))
    const timer = setInterval(() => answer.write(':\n\n'), 60)
    setTimeout(() => answer.write(event('2')), 700)
    answer.on('close', () => clearInterval(timer))
  }
  const { opened, next } = await serve([beating], { idleTimeoutMs: 300 })
  expect(await next()).toBe('1')
  await new Promise((resolve) => setTimeout(resolve, 400))
  expect(await next()).toBe('2')
  expect(opened).toHaveLength(1)
})

test('a stream that ends is opened again after the time that the server names, and not all at once', async () => {
  const ends: Answer = (answer, connection) => {
    head(answer, 500)
    answer.end(event(String(connection)))
  }
  const { next, waits } = await serve([ends, ends, complete])
  expect([await next(), await next(), await next()]).toEqual(['1', '2', 'last'])
  for (const wait of waits()) expect(wait).toBeGreaterThanOrEqual(495)
  expect(waits()[0]).not.toBe(waits()[1])
})

test('Retry-After is kept, in seconds and as a date', async () => {
  const date = refuse(503, { 'retry-after': new Date(Date.now() + 3_000).toUTCString() })
  const { next, waits, opened } = await serve([refuse(429, { 'retry-after': '1' }), date, complete])
  const begin = Date.now()
  expect(await next()).toBe('last')
  expect(waits()[0]).toBeGreaterThanOrEqual(995)
  expect(Date.now() - begin).toBeGreaterThan(1_900)
  expect(opened).toHaveLength(3)
})

test('a server that cannot serve is asked less and less often', async () => {
  const { next, waits } = await serve([refuse(503), refuse(502), refuse(500, { 'retry-after': 'soon' }), complete])
  expect(await next()).toBe('last')
  expect(waits()).toHaveLength(3)
  for (const [index, wait] of waits().entries()) expect(wait).toBeGreaterThanOrEqual(200 * 2 ** index - 5)
})

test('what is refused is thrown, and told with how long to wait', async () => {
  const { next } = await serve([refuse(403)])
  await expect(next()).rejects.toMatchObject({ problem: { status: 403 }, retryAfterMs: 0 })
})

test('whoever leaves while the client waits does not wait with it', async () => {
  const leave = new AbortController()
  const { frames } = await serve([refuse(503, { 'retry-after': '60' })], {}, leave.signal)
  const since = performance.now()
  setTimeout(() => leave.abort(), 300)
  expect(await frames.next()).toEqual({ done: true, value: undefined })
  expect(performance.now() - since).toBeLessThan(5_000)
})
