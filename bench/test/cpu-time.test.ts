import { expect, test } from 'vitest'
import { cpuTimeOf } from '../src/ingest/cpu-time.ts'

test('the time of a process grows while it computes, in user mode', async () => {
  const before = await cpuTimeOf(process.pid)
  const until = process.cpuUsage().user + 200_000
  while (process.cpuUsage().user < until);
  const after = await cpuTimeOf(process.pid)
  expect(after.user - before.user).toBeGreaterThanOrEqual(0.1)
  expect(after.system).toBeGreaterThanOrEqual(before.system)
})

test('a process that is not there has none', async () => {
  await expect(cpuTimeOf(2 ** 30)).rejects.toThrow('ENOENT')
})
