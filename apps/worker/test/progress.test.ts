import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Progress, spreadMax } from '../src/progress.ts'

const fresh = { offset: 100n, metadata: '' }
const topicId = 'an-id'
/** Nothing behind the offset is finished. */
const none = `v2:${topicId}:`

test('what is committed is the first record that is not finished', () => {
  const progress = new Progress(fresh, topicId)
  expect(progress.committable()).toEqual({ offset: 100n, beyond: 0, metadata: none })
  for (const offset of [100n, 101n, 105n]) expect(progress.begin(offset)).toBe(true)
  progress.finish(100n)
  expect(progress.committable()).toEqual({ offset: 101n, beyond: 0, metadata: none })
  progress.finish(101n)
  progress.finish(105n)
  expect(progress.committable()).toEqual({ offset: 106n, beyond: 0, metadata: none })
})

test('whoever goes on from a commit does what was not finished, and nothing twice', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.bigInt(100n, 400n), { minLength: 1, maxLength: 80 }),
      fc.array(fc.nat(79)),
      fc.array(fc.nat(79)),
      (places, first, also) => {
        const offsets = places.toSorted((one, other) => Number(one - other))
        const chosen = (indexes: readonly number[]) => new Set(indexes.flatMap((index) => offsets[index] ?? []))
        const [finished, finishing] = [chosen(first), chosen(also)]
        const progress = new Progress(fresh, topicId)
        for (const offset of offsets) progress.begin(offset)
        for (const offset of finished) progress.finish(offset)
        const committed = progress.committable(finishing)
        const done = new Set([...finished, ...finishing])
        const next = new Progress(committed, topicId)
        const redone = offsets.filter((offset) => offset >= committed.offset && next.begin(offset))
        expect(redone).toEqual(offsets.filter((offset) => !done.has(offset)))
        for (const offset of redone) next.finish(offset)
        expect(next.committable()).toEqual({ offset: (offsets.at(-1) ?? 0n) + 1n, beyond: 0, metadata: none })
      },
    ),
  )
})

test('as many places as may lie between fit into what Kafka keeps beside an offset', () => {
  const progress = new Progress({ offset: 0n, metadata: '' }, topicId)
  for (let offset = 0n; offset < BigInt(spreadMax); offset += 1n) progress.begin(offset)
  for (let offset = 1n; offset < BigInt(spreadMax); offset += 2n) progress.finish(offset)
  expect(progress.spread).toBe(spreadMax)
  expect(progress.committable().metadata.length).toBeLessThanOrEqual(4_096)
})

test.each(['', 'set by hand', 'v1:AAAA', 'v2:', 'v2:an-id'])(
  'metadata that is none of ours, "%s", says nothing',
  (metadata) => {
    const progress = new Progress({ offset: 5n, metadata }, topicId)
    for (let offset = 5n; offset < 100n; offset += 1n) expect(progress.begin(offset)).toBe(true)
  },
)

test('a commit of a topic that is gone says nothing of one of its name', () => {
  const former = new Progress(fresh, topicId)
  for (const offset of [100n, 101n, 102n]) former.begin(offset)
  const progress = new Progress(former.committable([101n]), 'the id of the next')
  expect(progress.next).toBe(0n)
  for (let offset = 0n; offset < 110n; offset += 1n) expect(progress.begin(offset)).toBe(true)
})
