import type { JsonObject } from '@millrace/core/json'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeCursor, encodeCursor } from '../src/cursor.ts'
import type { Filter } from '../src/filter.ts'
import { Batch } from '../src/frame.ts'
import { Subscription } from '../src/subscription.ts'
import { item, subscriber } from './subscriber.ts'

const topic = 't'

function subscribed(from: ReadonlyMap<number, bigint>, filter?: Filter, bufferBytesMax = 1_000) {
  const end = subscriber()
  const missed: number[] = []
  const options = {
    topic,
    filter,
    outlet: end.outlet,
    bufferBytesMax: () => bufferBytesMax,
    onMissed: (count: number) => missed.push(count),
  }
  return { ...end, missed, subscription: new Subscription(options, from) }
}

/** A live topic of two partitions, and a way to send on it. */
function liveTopic() {
  const next = new Map([
    [0, 0n],
    [1, 0n],
  ])
  const batch = (...sent: [string, number][]) => {
    const at = new Map(next)
    const items = sent.map(([id, partition]) => {
      const offset = at.get(partition) ?? 0n
      at.set(partition, offset + 1n)
      return item(id, partition, Number(offset), { id })
    })
    return new Batch(topic, next, items)
  }
  return { next, batch }
}

/** A subscriber that is live on a topic that has come as far as `next`. */
function live(next: ReadonlyMap<number, bigint>, filter?: Filter, from = next) {
  const made = subscribed(from, filter)
  made.subscription.hold()
  made.subscription.release(next)
  return made
}

describe('a live subscriber', () => {
  test('is written a batch at once, with the same bytes as all others', () => {
    const { next, batch } = liveTopic()
    const [first, second] = [live(next), live(next)]
    const sent = batch(['a', 0], ['b', 1], ['c', 0])
    for (const { subscription } of [first, second]) subscription.receive(sent, next)
    for (const { ids, writes } of [first, second]) {
      expect(ids()).toEqual(['a', 'b', 'c'])
      expect(writes()).toBe(1)
    }
  })

  test('gets what its filter lets through, and in a quiet time the cursor behind the rest', () => {
    const { next, batch } = liveTopic()
    const { subscription, frames, ids } = live(next, ({ id }) => id === 'b')
    subscription.receive(batch(['a', 0]), next)
    expect(frames()).toEqual([])
    subscription.receive(batch(['b', 1], ['c', 0]), next)
    expect(ids()).toEqual(['b'])
    subscription.tellCursor()
    subscription.tellCursor()
    expect(frames().slice(1)).toEqual([{ cursor: encodeCursor(topic, next) }])
  })

  test('that reads too slowly is told before the next event how much it missed and where', () => {
    const { next, batch } = liveTopic()
    const { subscription, frames, ids, state, missed } = live(next)
    subscription.receive(batch(['a', 0]), next)
    const from = encodeCursor(topic, next)
    state.bufferedBytes = 1_001
    subscription.receive(batch(['b', 0], ['c', 1]), next)
    subscription.receive(batch(['d', 1]), next)
    const to = encodeCursor(topic, next)
    subscription.tellMissed()
    subscription.tellCursor()
    expect(ids()).toEqual(['a'])
    state.bufferedBytes = 0
    subscription.receive(batch(['e', 0]), next)
    expect(frames().slice(1)).toMatchObject([{ gap: { count: 3, from, to } }, { event: { id: 'e' } }])
    expect(missed).toEqual([2, 1])
  })

  test('is told what it missed though nothing follows, and only what its filter would have let through', () => {
    const { next, batch } = liveTopic()
    const { subscription, frames, state } = live(next, ({ id }) => id !== 'no')
    const from = encodeCursor(topic, next)
    state.bufferedBytes = 1_001
    subscription.receive(batch(['yes', 0], ['no', 0], ['no', 1]), next)
    subscription.receive(batch(['no', 0]), next)
    state.bufferedBytes = 0
    subscription.tellMissed()
    subscription.tellMissed()
    expect(frames()).toEqual([{ gap: { count: 1, from, to: encodeCursor(topic, next) } }])
  })

  test('is told of records that were gone before the live topic could read them', () => {
    const { next, batch } = liveTopic()
    const { subscription, frames } = live(next)
    subscription.receive(batch(['a', 0]), next)
    const before = encodeCursor(topic, next)
    next.set(1, 20n)
    const after = encodeCursor(topic, next)
    subscription.receive({ gap: { partition: 1, from: 0n, to: 20n }, before, after }, next)
    expect(frames()[1]).toEqual({ gap: { count: 20, from: before, to: after } })
  })
})

describe('when its topic is made anew a subscriber', () => {
  const anew = new Map([[0, 0n]])
  const first = new Batch(topic, new Map(anew), [item('new', 0, 0)])
  const old = new Map([
    [0, 7n],
    [1, 3n],
  ])
  const [from, to] = [encodeCursor(topic, old), encodeCursor(topic, anew)]

  test('is told so, and has the new events though it was further in the old topic', () => {
    for (const behind of [old, new Map([[0, 5n]])]) {
      const { subscription, frames } = live(behind, undefined, old)
      subscription.startOver(anew)
      subscription.receive(first, anew)
      expect(frames()).toMatchObject([{ gap: { count: 0, from, to } }, { event: { id: 'new' } }])
    }
  })

  test('is told so once it reads again, with what it missed before and after', () => {
    const { subscription, frames, state } = live(old)
    state.bufferedBytes = 1_001
    subscription.startOver(anew)
    subscription.tellMissed()
    expect(frames()).toEqual([])
    subscription.receive(first, anew)
    state.bufferedBytes = 0
    subscription.tellMissed()
    expect(frames()).toEqual([{ gap: { count: 1, from, to: first.after } }])
  })

  test('that catches up is told so and ends, since what is read for it is of the old topic', () => {
    const { subscription, frames, ended } = subscribed(old)
    subscription.startOver(anew)
    expect(frames()).toEqual([{ gap: { count: 0, from, to } }])
    expect(ended).toEqual([1013])
  })
})

describe('a subscriber that catches up', () => {
  test('gets nothing live before it has what came earlier, and then what waited', () => {
    const { next, batch } = liveTopic()
    const { subscription, ids } = subscribed(new Map())
    subscription.receive(batch(['a', 0]), next)
    subscription.hold()
    subscription.receive(batch(['b', 0]), next)
    subscription.deliver(
      [item('a', 0, 0)],
      new Map([
        [0, 1n],
        [1, 0n],
      ]),
    )
    expect(ids()).toEqual(['a'])
    expect(subscription.release(next)).toBe(true)
    subscription.receive(batch(['c', 1]), next)
    expect(ids()).toEqual(['a', 'b', 'c'])
  })

  test('is not live when more came than may wait', () => {
    const { next, batch } = liveTopic()
    const { subscription, ids } = subscribed(new Map())
    subscription.hold()
    for (let number = 0; number < 20; number++) subscription.receive(batch([`n${number}`, 0]), next)
    expect(subscription.release(next)).toBe(false)
    expect(ids()).toEqual([])
  })

  test('may be ahead of this instance: its cursors never go back, and nothing comes twice', () => {
    const { next, batch } = liveTopic()
    const from = new Map([
      [0, 2n],
      [1, 0n],
    ])
    const { subscription, ids, frames } = live(next, undefined, from)
    subscription.receive(batch(['a', 0], ['x', 1]), next)
    expect(ids()).toEqual(['x'])
    const [first] = frames()
    expect(decodeCursor(topic, first && 'cursor' in first ? first.cursor : '')).toEqual(
      new Map([
        [0, 2n],
        [1, 1n],
      ]),
    )
    subscription.receive(batch(['b', 0], ['c', 0]), next)
    subscription.receive(batch(['d', 0]), next)
    expect(ids()).toEqual(['x', 'c', 'd'])
  })

  test('is told of a gap, counted from where it was', () => {
    const { subscription, frames } = subscribed(
      new Map([
        [0, 2n],
        [1, 5n],
      ]),
    )
    subscription.skip([
      { partition: 0, from: 2n, to: 10n },
      { partition: 1, from: 0n, to: 3n },
    ])
    const [from, to] = [
      new Map([
        [0, 2n],
        [1, 5n],
      ]),
      new Map([
        [0, 10n],
        [1, 5n],
      ]),
    ]
    expect(frames()).toEqual([{ gap: { count: 8, from: encodeCursor(topic, from), to: encodeCursor(topic, to) } }])
  })
})

test('wherever a subscriber resumes, and however live and past interleave, it gets each event once and in order', () => {
  const step = fc.record({ partition: fc.integer({ min: 0, max: 1 }), size: fc.integer({ min: 1, max: 3 }) })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 20 }),
      fc.nat(20),
      fc.nat(20),
      fc.nat(10),
      (steps, holdAt, releaseAfter, ahead) => {
        const { next, batch } = liveTopic()
        const log: { id: string; partition: number; offset: number }[] = []
        const from = new Map([
          [0, BigInt(ahead)],
          [1, 0n],
        ])
        const { subscription, frames } = subscribed(from, undefined, 1_000_000)
        const state: { isLive: boolean; target?: ReadonlyMap<number, bigint> } = { isLive: false }
        const release = () => {
          const upTo = state.target
          if (!upTo || state.isLive) return
          const missing = log.filter(
            ({ partition, offset }) =>
              BigInt(offset) >= (from.get(partition) ?? 0n) && BigInt(offset) < (upTo.get(partition) ?? 0n),
          )
          const at = new Map([0, 1].map((partition) => [partition, max(from.get(partition), upTo.get(partition))]))
          subscription.deliver(
            missing.map(({ id, partition, offset }) => item(id, partition, offset)),
            at,
          )
          state.isLive = subscription.release(next)
        }
        for (const [index, { partition, size }] of steps.entries()) {
          if (index === holdAt) {
            subscription.hold()
            state.target = new Map(next)
          }
          if (index === holdAt + releaseAfter) release()
          const sent = batch(
            ...Array.from({ length: size }, (_, number): [string, number] => [`${index}.${number}`, partition]),
          )
          for (const one of sent.items) log.push({ id: idIn(one.event), partition: one.partition, offset: one.offset })
          subscription.receive(sent, next)
        }
        if (!state.target) {
          subscription.hold()
          state.target = new Map(next)
        }
        release()
        expect(state.isLive).toBe(true)
        const got = frames().flatMap((frame) => ('event' in frame ? [frame] : []))
        for (const partition of [0, 1]) {
          const expected = log.filter(
            (one) => one.partition === partition && BigInt(one.offset) >= (from.get(partition) ?? 0n),
          )
          expect(got.filter((frame) => frame.partition === partition).map(({ event }) => event.id)).toEqual(
            expected.map(({ id }) => id),
          )
        }
        const cursors = got.map(({ cursor }) => decodeCursor(topic, cursor) ?? new Map<number, bigint>())
        for (const [index, cursor] of cursors.entries()) {
          for (const [partition, offset] of cursors[index - 1] ?? from)
            expect(cursor.get(partition) ?? 0n).toBeGreaterThanOrEqual(offset)
        }
      },
    ),
  )
})

function max(a = 0n, b = 0n): bigint {
  return a > b ? a : b
}

function idIn({ id }: JsonObject): string {
  return typeof id === 'string' ? id : ''
}
