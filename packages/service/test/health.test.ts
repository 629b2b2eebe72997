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

test('a dependency that fails is down with its reason, beside those that are up, and up again when it is well', async () => {
  let well = false
  const flaky = { name: 'flaky', check: () => (well ? Promise.resolve() : Promise.reject(new Error('no route'))) }
  const steady = { name: 'steady', check: () => Promise.resolve() }
  const health = createHealth([flaky, steady], { cacheMs: -1, timeoutMs: 100 })
  expect(await health()).toMatchObject({
    status: 'down',
    dependencies: [
      { name: 'flaky', state: 'down', detail: 'no route' },
      { name: 'steady', state: 'up' },
    ],
  })
  well = true
  expect(await health()).toMatchObject({ status: 'up' })
})

test('whoever asks while a check runs shares its answer', async () => {
  let checks = 0
  const running = Promise.withResolvers<undefined>()
  const health = createHealth([{ name: 'a', check: () => (checks++, running.promise) }])
  const answers = [health(), health(), health()]
  running.resolve(undefined)
  expect(new Set(await Promise.all(answers)).size).toBe(1)
  expect(checks).toBe(1)
})
