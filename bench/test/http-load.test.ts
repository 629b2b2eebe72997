import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { answerIn, openHttpLoad } from '../src/ingest/http-load.ts'

async function serving(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

const request = () => Buffer.from('POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n\r\nhi')

test('more requests than connections wait for their turn and are all answered', async () => {
  let most = 0
  let underWay = 0
  const port = await serving((_request, response) => {
    most = Math.max(most, ++underWay)
    setImmediate(() => {
      underWay -= 1
      response.end('ok')
    })
  })
  const load = openHttpLoad({ port, connections: 3 }, request, 5)
  onTestFinished(load.close)
  expect(await Promise.all(Array.from({ length: 20 }, load.send))).toEqual(Array.from({ length: 20 }, () => 5))
  expect(most).toBeLessThanOrEqual(3)
})

test('what is not 2xx acknowledges nothing, and a closed connection is opened anew', async () => {
  let requests = 0
  const port = await serving((_request, response) => {
    requests += 1
    if (requests === 1) response.writeHead(503, { 'content-length': 0 }).end()
    else if (requests === 2) response.destroy()
    else response.end('ok')
  })
  const load = openHttpLoad({ port, connections: 1 }, request, 1)
  onTestFinished(load.close)
  await expect(load.send()).rejects.toThrow('503')
  await expect(load.send()).rejects.toThrow()
  await expect(load.send()).resolves.toBe(1)
})

test('an answer is there when its last byte is', () => {
  const answer = Buffer.from('HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nbody')
  expect(answerIn(answer.subarray(0, 20))).toBeUndefined()
  expect(answerIn(answer.subarray(0, -1))).toBeUndefined()
  expect(answerIn(answer)).toBe(201)
})
