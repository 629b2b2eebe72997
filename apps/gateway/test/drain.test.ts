import { createLogger } from '@millrace/service/logger'
import { openBalancer } from '@millrace/testkit/balancer'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createDrain } from '../src/drain.ts'
import { createGatewayMetrics } from '../src/metrics.ts'
import { createServer } from '../src/server.ts'

async function instance(name: string) {
  const app = createServer(createGatewayMetrics(), createLogger('test', 'silent'))
  const { drain } = createDrain(app)
  app.post('/', () => name)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => app.close())
  return { drain, url, port: Number(new URL(url).port) }
}

const ask = (url: string) => fetch(url, { method: 'POST', body: 'x'.repeat(1_000) })

test('an instance that is told to stop serves on for a while, and asks each client to come back elsewhere', async () => {
  const { drain, url } = await instance('one')
  expect((await ask(url)).headers.get('connection')).toBe('keep-alive')
  const drained = drain()
  const answer = await ask(url)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('connection')).toBe('close')
  await answer.text()
  await drained
  await expect(ask(url)).rejects.toThrow()
})

test('an instance that nobody asks anything stops at once', async () => {
  const { drain } = await instance('one')
  const sinceMs = performance.now()
  await drain()
  expect(performance.now() - sinceMs).toBeLessThan(1_500)
})

test('behind a plain balancer, under load, no request fails when one of two instances stops', async () => {
  const [staying, leaving] = [await instance('staying'), await instance('leaving')]
  const balancer = await openBalancer([staying.port, leaving.port])
  onTestFinished(balancer.close)
  const answered = { staying: 0, leaving: 0 }
  const failures: unknown[] = []
  let over = false
  const produce = async (): Promise<void> => {
    while (!over) {
      try {
        const answer = await ask(balancer.url)
        const name = await answer.text()
        if (answer.status !== 200) failures.push(answer.status)
        else if (name === 'leaving' || name === 'staying') answered[name] += 1
      } catch (error) {
        failures.push(error)
      }
    }
  }
  const producers = Array.from({ length: 16 }, produce)
  await vi.waitUntil(() => answered.leaving > 100 && answered.staying > 100, { timeout: 20_000 })
  await leaving.drain()
  const before = answered.staying
  await vi.waitUntil(() => answered.staying > before + 500, { timeout: 20_000 })
  over = true
  await Promise.all(producers)
  expect(failures).toEqual([])
  await expect(ask(leaving.url)).rejects.toThrow()
})
