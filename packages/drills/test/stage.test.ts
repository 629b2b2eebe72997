import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { definePlatform } from '@millrace/core/platform'
import { openInstallation } from '@millrace/stack/installation'
import { identify } from '@millrace/stack/process-identity'
import { writeRecord } from '@millrace/stack/run-folder'
import { expect, onTestFinished, test, vi } from 'vitest'
import { fakeJavaHome } from '../../stack/test/fake-java.ts'
import { openWorkers } from '../src/workers.ts'
import { openStage } from '../src/stage.ts'

/** A stage on a stack of one broker, which is a process that does nothing. */
async function stageOnOne() {
  const folder = await mkdtemp(join(tmpdir(), 'stage-'))
  const installation = await openInstallation({
    stateDirectory: join(folder, 'state'),
    portBase: 19_000,
    brokers: 1,
    platform: definePlatform({ events: [] }),
    java: { javaHome: await fakeJavaHome(join(folder, 'java'), '25'), path: undefined },
  })
  const started = async (): Promise<number> => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'])
    await once(child, 'spawn')
    const ended = once(child, 'exit')
    onTestFinished(async () => {
      child.kill('SIGCONT')
      child.kill('SIGKILL')
      await ended
    })
    const pid = child.pid ?? 0
    const runner = await identify(process.pid)
    if (!runner) throw new Error('this process cannot be found')
    const startedAt = (await identify(pid))?.startedAt ?? null
    const service = { name: 'kafka-1', state: 'running', address: 'nowhere', pid, restarts: 0, startedAt } as const
    await writeRecord(installation.layout, { runner, portBase: 19_000, ready: true, services: [service] })
    return pid
  }
  const broken = new AbortController()
  const load = {
    ...{
      gatewayUrls: [],
      posts: [],
      eventType: 'drill.test',
      source: '/test',
      eventsPerSecond: 100,
      eventsPerBatch: 20,
    },
    token: { current: () => Promise.resolve(''), renew: () => undefined },
    ledger: { sending: () => undefined, settled: () => undefined, close: () => undefined },
    onAcknowledged: () => undefined,
  }
  const stage = openStage({
    installation,
    load,
    workers: openWorkers({ installation, eventType: 'drill.test', work: {}, directory: folder, signal: broken.signal }),
    signal: broken.signal,
    seed: 1,
    note: () => undefined,
    over: () => undefined,
    failedOver: () => undefined,
  })
  onTestFinished(() => rm(folder, { recursive: true }))
  return { stage, started, breakOff: () => broken.abort(new Error('broken off')) }
}

/** `T` for a process that stands still. */
async function stateOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0]
}

test('what is paused stands still, and runs again when the drill is broken off', async () => {
  const { stage, started, breakOff } = await stageOnOne()
  const pid = await started()
  const paused = stage.pause(await stage.named('kafka-'), 60_000)
  await vi.waitUntil(async () => (await stateOf(pid)) === 'T', { timeout: 10_000 })
  breakOff()
  await expect(paused).rejects.toThrow()
  expect(await stateOf(pid)).not.toBe('T')
})

test('a process has ended when that is told, and is back when another runs in its place', async () => {
  const { stage, started } = await stageOnOne()
  const pid = await started()
  const back = await stage.end('kafka-1', 'SIGKILL')
  expect(await identify(pid)).toBeUndefined()
  const isBack = vi.fn()
  const waiting = back().then(isBack)
  expect(isBack).not.toHaveBeenCalled()
  await started()
  await waiting
})

test('who does not run is told with the way out', async () => {
  const { stage } = await stageOnOne()
  await expect(stage.kill('kafka-1')).rejects.toThrow('kafka-1 does not run: start the stack with "npx millrace up"')
})

test('a worker that ends by itself is told of, and one that does not end is killed', async () => {
  const { stage } = await stageOnOne()
  const { workers } = stage
  await workers.start('crashing') // there is no Kafka to be found
  await vi.waitUntil(() => workers.crashes().length === 1, { timeout: 60_000 })
  expect(workers.crashes()).toEqual([{ name: 'crashing', how: 'exit 1' }])
  expect(workers.names()).toEqual([])
  await workers.start('frozen')
  const pid = workers.pid('frozen') ?? 0
  process.kill(pid, 'SIGSTOP')
  await workers.close(100)
  expect(await identify(pid)).toBeUndefined()
  expect(workers.crashes()).toHaveLength(1)
})
