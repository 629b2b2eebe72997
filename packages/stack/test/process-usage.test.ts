import { expect, test } from 'vitest'
import { processUsage } from '../src/process-usage.ts'

test('the time of a process grows while it computes, in user mode', async () => {
  const before = await processUsage(process.pid)
  const until = process.cpuUsage().user + 200_000
  while (process.cpuUsage().user < until);
  const after = await processUsage(process.pid)
  if (!before || !after) throw new Error('this system does not tell what a process uses')
  const userSeconds = after.cpuSeconds - after.systemSeconds - (before.cpuSeconds - before.systemSeconds)
  expect(userSeconds).toBeGreaterThanOrEqual(0.1)
  expect(after.systemSeconds).toBeGreaterThanOrEqual(before.systemSeconds)
})

test('a process that is not there has none', async () => {
  expect(await processUsage(2 ** 30)).toBeUndefined()
})
