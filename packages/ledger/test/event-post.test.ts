import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openEventPost, outcomeOf } from '../src/event-post.ts'

const accepted = { index: 0, status: 'accepted', partition: 2, offset: 7 }
const answerOf = (...results: readonly unknown[]): string => JSON.stringify({ accepted: 1, results })

describe('an answer that names each event', () => {
  test('says what became of each, whatever its status', () => {
    const results = [
      { ...accepted, id: 'a', topic: 'flight.departed' },
      { index: 1, status: 'duplicate', partition: 2, offset: 3 },
      { index: 2, status: 'rejected', problem: { status: 422 } },
      { index: 3, status: 'unconfirmed', problem: { status: 503 } },
      { index: 4, status: 'unconfirmed' },
    ]
    const outcome = {
      kind: 'answered',
      results: [
        { status: 'accepted', partition: 2, offset: 7 },
        { status: 'duplicate', partition: 2, offset: 3 },
        { status: 'rejected', detail: '{"status":422}' },
        { status: 'unconfirmed', detail: '{"status":503}' },
        { status: 'unconfirmed', detail: 'null' },
      ],
    }
    for (const status of [200, 207, 422, 503]) {
      expect(outcomeOf(status, answerOf(...results), 5, undefined)).toEqual(outcome)
    }
  })

  test('may write an offset in digits', () => {
    const outcome = outcomeOf(200, answerOf({ ...accepted, offset: '12345678901' }), 1, undefined)
    expect(outcome).toMatchObject({ kind: 'answered', results: [{ offset: 12_345_678_901 }] })
  })
})

describe('an answer that is not in the contract confirms nothing', () => {
  test.each<readonly [string, string]>([
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['no object', '[]'],
    ['no results', '{"accepted":1}'],
    ['fewer results', answerOf()],
    ['more results', answerOf(accepted, { ...accepted, index: 1 })],
    ['results in another order', answerOf({ ...accepted, index: 1 })],
    ['another status', answerOf({ ...accepted, status: 'stored' })],
    ['a result that is no object', answerOf(null)],
    ['no partition', answerOf({ ...accepted, partition: undefined })],
    ['no offset', answerOf({ ...accepted, offset: undefined })],
    ...[null, '', true, [7], -1, 1.5, '0x10'].map(
      (offset) => [`the offset ${JSON.stringify(offset)}`, answerOf({ ...accepted, offset })] as const,
    ),
  ])('%s', (_, text) => {
    expect(outcomeOf(200, text, 1, undefined)).toMatchObject({ kind: 'unconfirmed' })
  })
})

test.each([401, 408, 425, 429, 500, 502, 503, 504, 302])(
  'after %i without results the batch is sent again',
  (status) => {
    const outcome = { kind: 'unconfirmed', detail: `${status} why`, retryAfterMs: 3_000 }
    expect(outcomeOf(status, 'why', 1, 3_000)).toEqual(outcome)
  },
)

test.each([400, 403, 404, 413, 415, 422])('after %i without results the batch is refused', (status) => {
  expect(outcomeOf(status, 'why', 1, undefined)).toEqual({ kind: 'refused', detail: `${status} why` })
})

test('what is said of an answer is bounded', () => {
  const outcome = outcomeOf(503, 'x'.repeat(10_000), 1, undefined)
  expect('detail' in outcome ? outcome.detail.length : 0).toBe('503 '.length + 300)
})

describe('over HTTP', () => {
  type Handler = (request: IncomingMessage, response: ServerResponse) => void

  async function postTo(handler: Handler) {
    const server = createServer(handler).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    let renewed = 0
    const token = { current: () => Promise.resolve(`token ${renewed}`), renew: () => (renewed += 1) }
    const gatewayUrl = `http://127.0.0.1:${port}`
    const eventPost = openEventPost({ gatewayUrl, token, connections: 1, answerTimeoutMs: 5_000 })
    onTestFinished(async () => {
      await eventPost.close()
      server.closeAllConnections()
      server.close()
    })
    return eventPost.post
  }

  test('a batch goes to the gateway as CloudEvents, with a token', async () => {
    const seen: unknown[] = []
    const post = await postTo((request, response) => {
      void buffer(request).then((body) => {
        const { authorization, 'content-type': type } = request.headers
        seen.push([request.method, request.url, authorization, type, body.toString()])
        response.end(answerOf(accepted))
      })
    })
    expect(await post('[{}]', 1)).toMatchObject({ kind: 'answered' })
    expect(seen).toEqual([['POST', '/v1/events', 'Bearer token 0', 'application/cloudevents-batch+json', '[{}]']])
  })

  test('a refused token is renewed, and the batch is to be sent again', async () => {
    const post = await postTo((request, response) => {
      response.statusCode = request.headers.authorization === 'Bearer token 1' ? 200 : 401
      response.end(response.statusCode === 200 ? answerOf(accepted) : '')
    })
    expect(await post('[{}]', 1)).toMatchObject({ kind: 'unconfirmed' })
    expect(await post('[{}]', 1)).toMatchObject({ kind: 'answered' })
  })

  test.each([
    ['3', 3_000],
    ['0', 0],
    ['Wed, 21 Oct 2015 07:28:00 GMT', undefined],
    ['-1', undefined],
  ])('Retry-After: %s asks to wait %s ms', async (header, retryAfterMs) => {
    const post = await postTo((_, response) => {
      response.writeHead(503, { 'retry-after': header }).end('busy')
    })
    expect(await post('[{}]', 1)).toEqual({ kind: 'unconfirmed', detail: '503 busy', retryAfterMs })
  })

  test('a connection that breaks leaves the batch unconfirmed', async () => {
    const post = await postTo((request) => request.socket.destroy())
    expect(await post('[{}]', 1)).toMatchObject({ kind: 'unconfirmed', retryAfterMs: undefined })
  })

  test('a batch that nobody takes a connection for has not left; one whose connection breaks may have', async () => {
    const server = createServer((request) => {
      server.close()
      request.socket.destroy()
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const gatewayUrl = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
    const token = { current: () => Promise.resolve('token'), renew: () => undefined }
    const eventPost = openEventPost({ gatewayUrl, token, connections: 2 })
    onTestFinished(() => eventPost.close())
    expect(await eventPost.post('[{}]', 1)).toMatchObject({ kind: 'unconfirmed' })
    expect(await eventPost.post('[{}]', 1)).toMatchObject({ kind: 'unsent' })
  })
})
