import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { hold, letGo } from '../src/hold.ts'
import { layoutOf } from '../src/layout.ts'
import { isAlive } from '../src/process-identity.ts'
import type { ServerSpec } from '../src/server.ts'
import { supervise } from '../src/supervisor.ts'

const serving =
  'process.on("SIGTERM", () => process.exit(0)); console.log("serving"); setInterval(() => undefined, 1000)'

async function supervised(program: string, overrides: Partial<ServerSpec> = {}) {
  const layout = layoutOf(await mkdtemp(join(tmpdir(), 'supervisor-')))
  for (const directory of [layout.logs, layout.run, layout.temporary]) await mkdir(directory)
  const changes: string[] = []
  const log = join(layout.logs, 'server.log')
  const spec: ServerSpec = {
    kind: 'server',
    name: 'server',
    dependsOn: [],
    address: 'nowhere',
    ports: [],
    command: { file: process.execPath, arguments: ['-e', program] },
    probe: async () => (await readFile(log, 'utf8')).includes('serving'),
    readyTimeoutMs: 10_000,
    stopTimeoutMs: 2_000,
    ...overrides,
  }
  const details: (string | undefined)[] = []
  const server = supervise(spec, layout, ({ state }, detail) => {
    changes.push(state)
    details.push(detail)
  })
  onTestFinished(async () => {
    await server.stop()
    await rm(layout.state, { recursive: true })
  })
  return { server, changes, details, layout }
}

test('a server that dies is started again, and what must be done then is done', async () => {
  const restored = vi.fn(() => Promise.resolve())
  const { server, changes } = await supervised(serving, { restored })
  await server.start()
  const first = server.status().pid ?? 0
  process.kill(first, 'SIGKILL')
  await vi.waitUntil(() => server.status().state === 'running' && server.status().pid !== first, { timeout: 10_000 })
  expect(server.status().restarts).toBe(1)
  expect(restored).toHaveBeenCalledOnce()
  expect(changes).toEqual(['starting', 'running', 'restarting', 'running'])
})

test('a server that says of itself that it has failed is ended and started again, and one that does not answer is let be', async () => {
  const answers = [() => Promise.reject(new Error('busy')), () => Promise.resolve(true)]
  const hasFailed = () => answers.shift()?.() ?? Promise.resolve(false)
  const { server, changes, details } = await supervised(serving, { hasFailed })
  await server.start()
  const first = server.status().pid ?? 0
  await vi.waitUntil(() => server.status().state === 'running' && server.status().pid !== first, { timeout: 20_000 })
  expect(answers).toEqual([])
  expect(details).toContain('server died (it said that it had failed); starting it again in 0.5 s')
  expect(changes).toEqual(['starting', 'running', 'restarting', 'running'])
})

test('a server that ends before it serves fails with its exit code and the end of its log', async () => {
  const { server } = await supervised('console.error("no such setting"); process.exit(3)')
  await expect(server.start()).rejects.toThrow(/exit code 3[\s\S]*no such setting/)
  expect(server.status().state).toBe('failed')
})

test('a server that never serves is given up and leaves no process', async () => {
  const { server } = await supervised('setInterval(() => undefined, 1000)', {
    probe: () => Promise.resolve(false),
    readyTimeoutMs: 300,
  })
  await expect(server.start()).rejects.toThrow('server was not ready within')
  expect(server.status().pid).toBeUndefined()
})

test('a server that ignores SIGTERM is killed when its time is up', async () => {
  const { server } = await supervised(serving.replace('process.exit(0)', 'undefined'), { stopTimeoutMs: 200 })
  await server.start()
  const identity = server.identity()
  await server.stop()
  expect(identity && (await isAlive(identity))).toBe(false)
})

test('a server that is held is started again when it is let go', async () => {
  const { server, layout } = await supervised(serving)
  await server.start()
  await hold(layout, 'server')
  process.kill(server.status().pid ?? 0, 'SIGKILL')
  await vi.waitUntil(() => server.status().state === 'restarting')
  await delay(1_500) // thrice what it waits otherwise
  expect(server.status().state).toBe('restarting')
  await letGo(layout, 'server')
  await vi.waitUntil(() => server.status().state === 'running', { timeout: 10_000 })
})

test('nobody holds a server any longer than they live', async () => {
  const { server, layout } = await supervised(serving)
  await server.start()
  await mkdir(join(layout.temporary, 'held'))
  await writeFile(join(layout.temporary, 'held', 'server'), JSON.stringify({ pid: process.pid, startedAt: 'long ago' }))
  process.kill(server.status().pid ?? 0, 'SIGKILL')
  await vi.waitUntil(() => server.status().restarts === 1 && server.status().state === 'running', { timeout: 10_000 })
})

test('stopping during the wait for a restart ends at once', async () => {
  const { server } = await supervised(serving)
  await server.start()
  process.kill(server.status().pid ?? 0, 'SIGKILL')
  await vi.waitUntil(() => server.status().state === 'restarting')
  await server.stop()
  expect(server.status().state).toBe('stopped')
})
