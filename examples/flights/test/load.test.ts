import type { CpuInfo } from 'node:os'
import type { ProcessUsage } from '@millrace/stack/process-usage'
import type { ServerStatus } from '@millrace/stack/server'
import type { Stack } from '@millrace/stack/stack'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openLoadMeter } from '../src/load.ts'

/** The machine: what each process has used by its pid, and how long each core was idle. */
const machine = vi.hoisted(() => ({ usages: new Map<number, ProcessUsage>(), idleMs: [0, 0] }))
vi.mock('@millrace/stack/process-usage', () => ({
  processUsage: (pid: number) => Promise.resolve(machine.usages.get(pid)),
}))
vi.mock('node:os', async (original) => ({
  ...(await original<object>()),
  cpus: (): CpuInfo[] =>
    machine.idleMs.map((idle) => ({ model: '', speed: 0, times: { user: 0, nice: 0, sys: 0, irq: 0, idle } })),
}))

const gigabyte = 1e9
const pids = { gateway: 1_000_001, flink: 1_000_002 }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
  machine.idleMs = [500, 700]
  machine.usages.clear()
  uses(process.pid, 10, gigabyte)
  uses(pids.gateway, 100, gigabyte)
  uses(pids.flink, 200, gigabyte)
})
afterEach(() => void vi.useRealTimers())

function uses(pid: number, cpuSeconds: number, memoryBytes: number): void {
  machine.usages.set(pid, { cpuSeconds, memoryBytes })
}

function stackOf(changed: Partial<ServerStatus> = {}): Stack {
  const server = { state: 'running', address: '', restarts: 0 } as const
  return {
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    services: () => [
      { ...server, name: 'gateway', pid: pids.gateway, ...changed },
      { ...server, name: 'flink', pid: pids.flink },
    ],
  }
}

test('the load is that since the meter was opened, the busiest process first', async () => {
  const meter = await openLoadMeter(stackOf())
  vi.advanceTimersByTime(10_000)
  uses(process.pid, 11, gigabyte)
  uses(pids.gateway, 102, gigabyte)
  uses(pids.flink, 205, gigabyte)
  machine.idleMs = [500 + 4_000, 700 + 6_000]
  const load = await meter.load()
  expect(load).toEqual({
    ...{ cores: 2, coresBusy: 1, memoryBytesMax: 3 * gigabyte },
    coresByProcess: { flink: 0.5, gateway: 0.2, 'npm start': 0.1 },
  })
  expect(Object.keys(load.coresByProcess)).toEqual(['flink', 'gateway', 'npm start'])
})

test('a server that was started again counts from zero', async () => {
  const meter = await openLoadMeter(stackOf())
  vi.advanceTimersByTime(10_000)
  uses(pids.gateway, 3, gigabyte)
  expect((await meter.load()).coresByProcess).toMatchObject({ gateway: 0.3 })
})

test('a server that has ended, or has no process yet, uses nothing', async () => {
  const meter = await openLoadMeter(stackOf({ pid: undefined }))
  expect(meter.memoryBytes()).toBe(2 * gigabyte)
  machine.usages.delete(pids.flink)
  vi.advanceTimersByTime(10_000)
  expect(Object.keys((await meter.load()).coresByProcess)).toEqual(['npm start'])
})

test('of the memory the last look is shown and the greatest is kept', async () => {
  const meter = await openLoadMeter(stackOf())
  uses(pids.flink, 200, 3 * gigabyte)
  await meter.look()
  expect(meter.memoryBytes()).toBe(5 * gigabyte)
  uses(pids.flink, 200, 2 * gigabyte)
  await meter.look()
  expect(meter.memoryBytes()).toBe(4 * gigabyte)
  vi.advanceTimersByTime(1_000)
  expect((await meter.load()).memoryBytesMax).toBe(5 * gigabyte)
})
