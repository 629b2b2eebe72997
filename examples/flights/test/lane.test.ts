import { hash } from 'node:crypto'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { PostEvents, PostOutcome } from '@millrace/ledger/event-post'
import type { LaneOptions } from '../src/lane.ts'
import { sendBatch } from '../src/lane.ts'
import type { Ledger } from '@millrace/ledger/ledger'
import { replayStatistics } from '../src/statistics.ts'
import { flight, unconfirmed } from './fake-gateway.ts'
import { at } from './world.ts'

const { delays } = vi.hoisted(() => ({ delays: new Array<number>() }))
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<object>()),
  setTimeout: (ms: number) => Promise.resolve(delays.push(ms)),
}))
beforeEach(() => void delays.splice(0))

const flights = [flight(7), flight(8), flight(9)]
const stored = (offset: number, partition = 4) => ({ status: 'accepted', partition, offset }) as const
const answered = (...results: Extract<PostOutcome, { kind: 'answered' }>['results']): PostOutcome => ({
  kind: 'answered',
  results,
})

/** A lane, number 4, whose requests get these answers one after another. */
function lane(outcomes: readonly PostOutcome[], changed: Partial<LaneOptions> = {}) {
  const bodies: string[] = []
  const noted: unknown[] = []
  const firstPosts: unknown[] = []
  const post: PostEvents = (body) => {
    bodies.push(body)
    noted.push('post')
    return Promise.resolve(at(outcomes, bodies.length - 1))
  }
  const ledger: Ledger = {
    sending: (request, number, ids) => noted.push(['sending', request, number, ...ids]),
    settled: (request, results) => noted.push([request, ...results.map(({ id, status }) => `${id} ${status}`)]),
    close: () => undefined,
  }
  const statistics = replayStatistics()
  let request = 0
  const options: LaneOptions = {
    ...{ lane: 4, eventType: 'flight.departed', post, ledger, statistics },
    nextRequest: () => `r${request++}`,
    onFirstPost: (number, first) => firstPosts.push([number, first]),
    confirmDeadlineMs: 60_000,
    signal: new AbortController().signal,
    ...changed,
  }
  return { send: () => sendBatch(options, flights), bodies, noted, firstPosts, statistics }
}

const idsOf = (body = '[]'): string[] => [...body.matchAll(/"id":"(\d+)"/g)].map(([, id = '']) => id)

describe('a batch', () => {
  test('is a request of CloudEvents, whose data the ledger knows by its hash', async () => {
    const settled = vi.fn<Ledger['settled']>()
    const ledger: Ledger = { sending: () => undefined, settled, close: () => undefined }
    const { send, bodies } = lane([answered(stored(1), stored(2), stored(3))], { ledger })
    expect(await send()).toBe('confirmed')
    const data =
      '{"flight":7,"date":"2001-01-01T00:07:00Z","origin":"SFO","destination":"LAX","distance":337,"delay":0}'
    expect(bodies).toHaveLength(1)
    expect(bodies[0]?.startsWith('[{"specversion":"1.0","id":"7","source":"/flights/2001",')).toBe(true)
    expect(bodies[0]).toContain(`"type":"flight.departed","time":"2001-01-01T00:07:00Z","data":${data}}`)
    const first = { ...stored(1), id: '7', sha256: hash('sha256', data) }
    expect(settled).toHaveBeenCalledExactlyOnceWith('r0', expect.arrayContaining([first]))
  })

  test('is in the ledger before it is sent, and its answer before it is acted upon', async () => {
    const { send, noted, firstPosts } = lane([answered(stored(1), stored(2), stored(3))])
    await send()
    expect(noted).toEqual([
      ['sending', 'r0', 4, '7', '8', '9'],
      'post',
      ['r0', '7 accepted', '8 accepted', '9 accepted'],
    ])
    expect(firstPosts).toEqual([[4, flights]])
  })
})

describe('what was not confirmed', () => {
  test('is sent again with its ids and its bytes, and nothing else is', async () => {
    const lost = { status: 'unconfirmed', detail: '' } as const
    const first = answered(stored(1), lost, lost)
    const { send, bodies, noted, firstPosts, statistics } = lane([
      first,
      answered(stored(2), lost),
      answered(stored(3)),
    ])
    expect(await send()).toBe('confirmed')
    expect(bodies.map(idsOf)).toEqual([['7', '8', '9'], ['8', '9'], ['9']])
    expect(bodies[0]).toContain(bodies[1]?.slice(1))
    expect(noted.filter((line) => Array.isArray(line) && line[0] === 'sending')).toHaveLength(3)
    expect(firstPosts).toHaveLength(1)
    expect(statistics.numbers()).toMatchObject({ acknowledged: 3, requests: 3, retries: 3 })
  })

  test('is the whole batch when there is no answer, and may turn out to be stored', async () => {
    const duplicate = { ...stored(1), status: 'duplicate' } as const
    const { send, bodies, statistics } = lane([unconfirmed, answered(duplicate, duplicate, duplicate)])
    expect(await send()).toBe('confirmed')
    expect(bodies[1]).toBe(bodies[0])
    expect(statistics.numbers()).toMatchObject({ acknowledged: 3, requests: 1, retries: 3, duplicates: 3 })
  })

  test('waits longer each time, up to five seconds', async () => {
    const outcomes = [...Array.from({ length: 9 }, () => unconfirmed), answered(stored(1), stored(2), stored(3))]
    await lane(outcomes).send()
    const caps = [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]
    expect(delays.every((ms, attempt) => ms >= at(caps, attempt) / 2 && ms <= at(caps, attempt))).toBe(true)
    expect(delays).toHaveLength(9)
  })

  test('waits as long as the gateway asks', async () => {
    const busy = { kind: 'unconfirmed', detail: '503', retryAfterMs: 7_000 } as const
    await lane([busy, answered(stored(1), stored(2), stored(3))]).send()
    expect(delays).toEqual([7_000])
  })

  test('is left to the next run once the replay is stopped', async () => {
    const { send, bodies, noted } = lane([unconfirmed], { signal: AbortSignal.abort() })
    expect(await send()).toBe('left-to-next-run')
    expect(bodies).toHaveLength(1)
    expect(noted.at(-1)).toEqual(['r0', '7 unconfirmed', '8 unconfirmed', '9 unconfirmed'])
  })

  test('ends the replay when the deadline would pass', async () => {
    const busy = { kind: 'unconfirmed', detail: '503 busy', retryAfterMs: 61_000 } as const
    await expect(lane([busy]).send()).rejects.toMatchObject({
      code: 'replay.failed',
      message: '3 events of lane 4 were not confirmed within 60 s: 503 busy',
    })
    expect(delays).toEqual([])
  })
})

describe('the replay ends, and the ledger says why, when', () => {
  test('an event is refused', async () => {
    const refused = answered(stored(1), { status: 'rejected', detail: 'no' }, stored(2))
    const { send, noted } = lane([refused])
    await expect(send()).rejects.toThrow('the gateway refuses flight 8, which is valid: no')
    expect(noted.at(-1)).toEqual(['r0', '7 accepted', '8 rejected', '9 accepted'])
  })

  test('the request is refused', async () => {
    const { send, noted } = lane([{ kind: 'refused', detail: '403 no' }])
    await expect(send()).rejects.toThrow('403 no')
    expect(noted.at(-1)).toEqual(['r0', '7 rejected', '8 rejected', '9 rejected'])
  })

  test('an event was stored in another partition than its lane’s', async () => {
    const { send, noted } = lane([answered(stored(1), stored(2), stored(3, 5))])
    await expect(send()).rejects.toMatchObject({
      code: 'replay.failed',
      message: 'flight 9 was stored in partition 5; Kafka’s partitioner gives its key partition 4',
    })
    expect(noted.at(-1)).toEqual(['r0', '7 accepted', '8 accepted', '9 accepted'])
  })
})
