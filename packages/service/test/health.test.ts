import { expect, test } from 'vitest'
import { createHealth } from '../src/health.ts'

test('a dependency that does not answer in time is down, and says so', async () => {
  const hangs = { name: 'slow', check: () => new Promise(() => undefined) }
  const report = await createHealth([hangs], { cacheMs: 0, timeoutMs: 20 })()
  expect(report).toMatchObject({
    status: 'down',
    dependencies: [{ name: 'slow', state: 'down', detail: 'no answer within 20 ms' }],
  })
})

test('one report answers everybody who asks within its time', async () => {
  let checks = 0
  const health = createHealth([{ name: 'a', check: () => Promise.resolve(checks++) }], {
    cacheMs: 10_000,
    timeoutMs: 100,
  })
  expect((await health()).status).toBe('up')
  await health()
  expect(checks).toBe(1)
})
