import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import { createLogger } from '@millrace/service/logger'
import { expect, onTestFinished, test } from 'vitest'
import { createGatewayMetrics } from '../src/metrics.ts'
import { createServer } from '../src/server.ts'

function server() {
  const metrics = createGatewayMetrics()
  const app = createServer(metrics, createLogger('test', 'silent'))
  onTestFinished(() => app.close())
  return { app, metrics }
}

test('what Kafka could not do for the moment is 503 and asks to be sent again', async () => {
  const { app } = server()
  app.get('/', () => Promise.reject(new MillraceError('kafka.unavailable', 'no broker answers')))
  const answer = await app.inject('/')
  expect(answer.statusCode).toBe(503)
  expect(answer.headers['retry-after']).toBe('1')
  expect(answer.json()).toMatchObject({ status: 503, detail: 'no broker answers' })
})

test('a fault of ours is 500 and says nothing of what is inside', async () => {
  const { app } = server()
  app.get('/', () => Promise.reject(new Error('password is hunter2')))
  const answer = await app.inject('/')
  expect(answer.statusCode).toBe(500)
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(answer.body).not.toContain('hunter2')
})

test('a client that sends too much gets its answer, not a broken connection', async () => {
  const { app } = server()
  app.post('/', { bodyLimit: 1_000 }, () => 'ok')
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const answer = await fetch(url, { method: 'POST', body: Buffer.alloc(9_000_000) })
  expect(answer.status).toBe(413)
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect(answer.headers.get('connection')).not.toBe('close')
})

test('a method that a route does not take is 405 and names those that it does, even one that fastify looks into', async () => {
  const { app } = server()
  app.get('/', () => 'ok')
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  for (const method of ['DELETE', 'QUERY']) {
    const answer = await fetch(url, { method })
    expect(answer.status, method).toBe(405)
    expect(answer.headers.get('allow'), method).toBe('GET, HEAD')
  }
  expect((await fetch(`${url}/nothing`, { method: 'QUERY' })).status).toBe(404)
})

test('a request is measured by its route, not by its path', async () => {
  const { app, metrics } = server()
  app.get('/things/:name', () => 'ok')
  await app.inject('/things/one')
  await app.inject('/nothing/two')
  const { body } = await metrics.exposition()
  expect(body).toContain(
    'http_server_request_duration_seconds_count{method="GET",route="/things/:name",status="200"} 1',
  )
  expect(body).toContain('http_server_request_duration_seconds_count{method="GET",route="unknown",status="404"} 1')
})

test('a server that closes answers what is under way, and does not wait until its client goes', async () => {
  const { app } = server()
  const entered = Promise.withResolvers<undefined>()
  const closing = Promise.withResolvers<undefined>()
  const leave = Promise.withResolvers<undefined>()
  app.addHook('preClose', (done) => {
    closing.resolve(undefined)
    done()
  })
  app.get('/slow', async () => {
    entered.resolve(undefined)
    await leave.promise
    return 'done'
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const slow = fetch(`${url}/slow`)
  await entered.promise
  const closed = app.close()
  await closing.promise
  leave.resolve(undefined)
  const answer = await slow
  expect(answer.headers.get('connection')).toBe('close')
  expect(await answer.text()).toBe('done')
  await closed
})

test.each([
  ['corrupt', 'GET / HTTP/1.1', 'content-encoding: gzip', 'content-length: 100', 'hello'],
  ['broken off', 'GET /slow HTTP/1.1', 'transfer-encoding: chunked', 'x: y', '5\r\nhello\r\n'],
  ['to nowhere', 'POST /nowhere HTTP/1.1', 'content-encoding: gzip', 'content-length: 5', 'hello'],
])('a body that nobody reads and is %s ends nothing', async (_what, line, encoding, length, body) => {
  const { app } = server()
  app.get('/', () => 'ok')
  app.get('/slow', async () => {
    await sleep(300)
    return 'ok'
  })
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect(Number(port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.write(`${line}\r\nhost: a\r\n${encoding}\r\n${length}\r\n\r\n${body}`)
  await sleep(100)
  socket.destroy()
  // An error that nobody listens to would come by now, and fail this test.
  await sleep(400)
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
})
