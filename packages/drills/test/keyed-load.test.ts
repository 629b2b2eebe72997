import type { EventPost, PostOutcome } from '@millrace/ledger/event-post'
import type { LedgerOutcome } from '@millrace/ledger/ledger'
import { describe, expect, test } from 'vitest'
import {
  type Batch,
  keyedEvent,
  type KeyedLoad,
  lanes,
  requireRate,
  runKeyedLoad,
  sendUntilAcknowledged,
} from '../src/keyed-load.ts'

type Answer = (ids: readonly string[], call: number) => PostOutcome

const type = { eventType: 'drill.test', source: '/test' }
const eventOf = (key: string) => keyedEvent(type, key, 0)
const batch: Batch = { lane: 0, name: 'b', events: ['x', 'y'].map(eventOf) }

const stored = (status: 'accepted' | 'duplicate', offset: number) => ({ status, partition: 0, offset }) as const
const acceptAll: Answer = (ids) => ({ kind: 'answered', results: ids.map((_, index) => stored('accepted', index)) })
const unsent: Answer = () => ({ kind: 'unsent', detail: 'connect ECONNREFUSED' })

/** A load whose gateways answer like this, and what it wrote down and told. */
function loadOn(answers: readonly Answer[], eventsPerSecond = 1e9) {
  const asked: { gateway: number; ids: string[] }[] = []
  const noted: string[] = []
  const acknowledged: number[] = []
  const postOf = (answer: Answer, gateway: number): EventPost => ({
    post: (body) => {
      const ids = [...body.matchAll(/"id":"([^"]+)"/g)].map(([, id = '']) => id)
      asked.push({ gateway, ids })
      return Promise.resolve(answer(ids, asked.length - 1))
    },
    close: () => Promise.resolve(),
  })
  const load: KeyedLoad = {
    ...type,
    gatewayUrls: [],
    posts: answers.map(postOf),
    token: { current: () => Promise.resolve(''), renew: () => undefined },
    eventsPerSecond,
    eventsPerBatch: 20,
    ledger: {
      sending: (request, _lane, ids) => noted.push(`${request} sends ${ids.join()}`),
      settled: (request, outcomes) => noted.push(`${request} ${outcomes.map(said).join()}`),
      close: () => undefined,
    },
    onAcknowledged: (events) => acknowledged.push(events),
  }
  return { load, asked, noted, acknowledged }
}

const said = ({ id, status }: LedgerOutcome): string => `${id} ${status}`

describe('a batch', () => {
  test('goes to the next gateway with what was not confirmed, under the same ids, each attempt written down before and after', async () => {
    const first: Answer = () => ({
      kind: 'answered',
      results: [stored('accepted', 1), { status: 'unconfirmed', detail: '503' }],
    })
    const { load, asked, noted, acknowledged } = loadOn([first, acceptAll])
    await sendUntilAcknowledged(load, batch)
    expect(asked).toEqual([
      { gateway: 0, ids: ['x-0', 'y-0'] },
      { gateway: 1, ids: ['y-0'] },
    ])
    expect(noted).toEqual([
      'b-0 sends x-0,y-0',
      'b-0 x-0 accepted,y-0 unconfirmed',
      'b-1 sends y-0',
      'b-1 y-0 accepted',
    ])
    expect(acknowledged).toEqual([1, 1])
  })

  test('that no gateway takes a connection for is kept, and sent when one does', async () => {
    const second: Answer = (ids, call) => (call < 3 ? unsent(ids, call) : acceptAll(ids, call))
    const { load, asked, noted } = loadOn([unsent, second])
    await sendUntilAcknowledged(load, batch)
    expect(asked.map(({ gateway }) => gateway)).toEqual([0, 1, 0, 1])
    expect(noted[1]).toBe('b-0 x-0 unsent,y-0 unsent')
    expect(noted.at(-1)).toBe('b-3 x-0 accepted,y-0 accepted')
  })

  test('that is refused is not sent again', async () => {
    const { load, asked } = loadOn([() => ({ kind: 'refused', detail: '422' })])
    await sendUntilAcknowledged(load, batch)
    expect(asked).toHaveLength(1)
  })
})

test('a key has one event under way at a time, and all have ended when the load has', async () => {
  const { load } = loadOn([acceptAll])
  const underWay = new Set<string>()
  const end = new AbortController()
  let batches = 0
  const send = async (_load: KeyedLoad, { events }: Batch): Promise<void> => {
    const keys = events.map(({ id }) => id.replace(/-\d+$/, ''))
    expect(keys.filter((key) => underWay.has(key))).toEqual([])
    for (const key of keys) underWay.add(key)
    await new Promise((resolve) => setImmediate(resolve))
    for (const key of keys) underWay.delete(key)
    batches += 1
    if (batches > 3 * lanes) end.abort()
  }
  await runKeyedLoad(load, send, end.signal)
  expect(underWay.size).toBe(0)
  expect(batches).toBeGreaterThan(3 * lanes)
})

test('a rate that tells too little is refused', () => {
  expect(() => requireRate(100)).not.toThrow()
  expect(() => requireRate(99)).toThrow('a drill takes 100 events per second at least')
})
