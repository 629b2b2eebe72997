import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { type Layout, layoutOf } from '../src/layout.ts'
import { identify, isAlive } from '../src/process-identity.ts'
import { clearRun, endAll, leftovers, lockHolder, readRecord, takeLock, writeRecord } from '../src/run-folder.ts'

let layout: Layout

beforeEach(async () => {
  layout = layoutOf(await mkdtemp(join(tmpdir(), 'run-folder-')))
  await mkdir(layout.run)
  onTestFinished(() => rm(layout.state, { recursive: true }))
})

async function sleeper(before = '') {
  const script = `${before}; setInterval(() => undefined, 1000); process.stdout.write('.')`
  const child = spawn(process.execPath, ['-e', script])
  await once(child.stdout, 'data')
  onTestFinished(() => void child.kill('SIGKILL'))
  const identity = await identify(child.pid ?? 0)
  if (!identity) throw new Error('the process has no identity')
  return { child, identity }
}

test('an installation has one runner: a second one is told which process it is and how to stop it', async () => {
  await takeLock(layout)
  await expect(takeLock(layout)).rejects.toThrow(new RegExp(`process ${process.pid}.*npx millrace down`))
  await clearRun(layout)
  await expect(takeLock(layout)).resolves.toBeUndefined()
})

test('of two runners that begin at once, one gets the installation', async () => {
  const taken = await Promise.allSettled([takeLock(layout), takeLock(layout)])
  expect(taken.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect(await lockHolder(layout)).toEqual(await identify(process.pid))
  expect(await readdir(layout.run)).toEqual(['lock'])
})

test('the lock of a runner that is gone is taken over', async () => {
  await writeFile(join(layout.run, 'lock'), JSON.stringify({ pid: process.pid, startedAt: 'another time' }))
  expect(await lockHolder(layout)).toBeUndefined()
  await expect(takeLock(layout)).resolves.toBeUndefined()
})

test('servers of a killed runner are found and ended; a process that only has the same number is left alone', async () => {
  const { child, identity } = await sleeper()
  const service = { state: 'running', address: '', restarts: 0 } as const
  await writeRecord(layout, {
    runner: { pid: 1, startedAt: 'gone' },
    portBase: 1,
    ready: true,
    services: [
      { ...service, name: 'kafka-1', ...identity },
      { ...service, name: 'reused', pid: process.pid, startedAt: 'another time' },
    ],
  })
  const left = await leftovers(await readRecord(layout))
  expect(left.map(({ name }) => name)).toEqual(['kafka-1'])
  const exit = once(child, 'exit')
  await endAll(left.map((one) => one.identity))
  await exit
  expect(await isAlive(identity)).toBe(false)
})

test('a process that does not end when it is told to is gone when all are ended', async () => {
  const { child, identity } = await sleeper("process.on('SIGTERM', () => undefined)")
  await endAll([identity], 200)
  expect(await isAlive(identity)).toBe(false)
  expect(child.signalCode ?? (await once(child, 'exit'))[1]).toBe('SIGKILL')
})

test.each(['{"version": 0}', '{"runner": {'])(
  'a record of another version or half of one is refused with the way out: %s',
  async (text) => {
    await writeFile(join(layout.run, 'stack.json'), text)
    await expect(readRecord(layout)).rejects.toThrow(
      `is damaged or from another version of Millrace: stop what runs there, then delete the state folder ${layout.state}`,
    )
  },
)

test('an empty lock is taken over', async () => {
  await writeFile(join(layout.run, 'lock'), '')
  await expect(takeLock(layout)).resolves.toBeUndefined()
})
