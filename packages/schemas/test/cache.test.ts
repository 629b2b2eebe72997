import { expect, test } from 'vitest'
import { createCache } from '../src/cache.ts'

function counting<Value>(answers: (() => Promise<Value>)[]) {
  let calls = 0
  const load = () => (answers[Math.min(calls++, answers.length - 1)] ?? (() => Promise.reject(new Error('none'))))()
  return { load, calls: () => calls }
}

test('whoever asks while a request is under way shares its answer', async () => {
  const { load, calls } = counting([() => Promise.resolve('a')])
  const cache = createCache({ load, freshMs: () => Infinity, retryMs: 0, entriesMax: 10 })
  expect(await Promise.all([cache.get('k'), cache.get('k'), cache.get('k')])).toEqual(['a', 'a', 'a'])
  expect(calls()).toBe(1)
})

test('an old value is better than none while the source fails', async () => {
  const { load } = counting([() => Promise.resolve('old'), () => Promise.reject(new Error('down'))])
  const cache = createCache({ load, freshMs: () => 0, retryMs: 0, entriesMax: 10 })
  await cache.get('k')
  expect(await cache.get('k')).toBe('old')
})

test('a failure is not asked for again before its time', async () => {
  const { load, calls } = counting<string>([() => Promise.reject(new Error('down'))])
  const cache = createCache({ load, freshMs: () => 0, retryMs: 60_000, entriesMax: 10 })
  await expect(cache.get('k')).rejects.toThrow('down')
  await expect(cache.get('k')).rejects.toThrow('down')
  expect(calls()).toBe(1)
})

test('the oldest entry makes room', async () => {
  const { load, calls } = counting([() => Promise.resolve('a')])
  const cache = createCache({ load, freshMs: () => Infinity, retryMs: 0, entriesMax: 2 })
  for (const key of ['a', 'b', 'c', 'a']) await cache.get(key)
  expect(calls()).toBe(4)
})
