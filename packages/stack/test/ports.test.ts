import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { gatewaysMax, portsFrom, requireFreePort, taskManagersMax, workersMax } from '../src/ports.ts'

test('a taken port is named, with who wants it and the way out; it is free again when its holder is gone', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  await expect(requireFreePort(port, 'kafka-1')).rejects.toThrow(
    `port ${port}, which kafka-1 needs, is taken: stop what listens there, or choose other ports with --port-base`,
  )
  server.close()
  await once(server, 'close')
  await expect(requireFreePort(port, 'kafka-1')).resolves.toBeUndefined()
})

test('an installation uses each of its 100 ports once', () => {
  const most = new Map(Object.entries({ gateway: gatewaysMax, worker: workersMax }))
  const mostOf = (name: string) => most.get(name) ?? (name.startsWith('taskManager') ? taskManagersMax : 3)
  const ports = Object.entries(portsFrom(20_000)).flatMap(([name, port]) =>
    typeof port === 'number' ? port : Array.from({ length: mostOf(name) }, (_, index) => port(index + 1)),
  )
  expect(new Set(ports).size).toBe(ports.length)
  expect(Math.min(...ports)).toBe(20_000)
  expect(Math.max(...ports)).toBeLessThan(20_100)
})
