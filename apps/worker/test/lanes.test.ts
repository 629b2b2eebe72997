import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { Lanes } from '../src/lanes.ts'

const unexpected = vi.fn()
afterEach(() => expect(unexpected).not.toHaveBeenCalled())

type Item = { readonly lane: string; readonly number: number; tries: number }

test('the items of a lane are done one after another, in order, however often one is tried again', async () => {
  const done: string[] = []
  const running = new Set<string>()
  const lanes = new Lanes<Item>(
    3,
    async (item) => {
      expect(running.has(item.lane)).toBe(false)
      running.add(item.lane)
      expect(running.size).toBeLessThanOrEqual(3)
      await sleep(1)
      running.delete(item.lane)
      item.tries += 1
      if (item.number % 3 === 0 && item.tries < 3) return 2
      done.push(`${item.lane}${item.number}`)
      return undefined
    },
    unexpected,
  )
  const names = ['a', 'b', 'c', 'd', 'e']
  for (let number = 0; number < 10; number += 1) for (const lane of names) lanes.push(lane, { lane, number, tries: 0 })
  await vi.waitUntil(() => done.length === 50)
  for (const lane of names) {
    const ofLane = done.filter((name) => name.startsWith(lane))
    expect(ofLane).toEqual(Array.from({ length: 10 }, (_, number) => `${lane}${number}`))
  }
})

test('one that waits to be tried again holds up its own lane alone', async () => {
  const done: string[] = []
  const lanes = new Lanes<Item>(
    1,
    (item) => {
      item.tries += 1
      if (item.lane === 'slow' && item.tries === 1) return Promise.resolve(200)
      done.push(item.lane)
      return Promise.resolve(undefined)
    },
    unexpected,
  )
  lanes.push('slow', { lane: 'slow', number: 0, tries: 0 })
  lanes.push('slow', { lane: 'slow', number: 1, tries: 1 })
  lanes.push('quick', { lane: 'quick', number: 0, tries: 0 })
  await vi.waitUntil(() => done.length === 3)
  expect(done).toEqual(['quick', 'slow', 'slow'])
})

test('work that fails is told of, and holds up its own lane alone', async () => {
  const done: string[] = []
  const failures: unknown[] = []
  const failure = new Error('a bug')
  const work = (item: Item) => {
    if (item.lane === 'broken') return Promise.reject(failure)
    done.push(item.lane)
    return Promise.resolve(undefined)
  }
  const lanes = new Lanes<Item>(2, work, (error) => failures.push(error))
  for (const lane of ['broken', 'broken', 'whole', 'whole']) lanes.push(lane, { lane, number: 0, tries: 0 })
  await vi.waitUntil(() => done.length === 2)
  expect(failures).toEqual([failure])
})
