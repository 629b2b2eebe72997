import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EventType } from '@millrace/core/event-type'
import { describe, expect, test } from 'vitest'
import type { SingleOutcome } from '../src/binary-post.ts'
import { atOnce, type Pace, runFeed, steady } from '../src/feed.ts'
import { openLedger } from '@millrace/ledger/ledger'
import { quakeRecorded, quakes } from '../src/quakes.ts'
import { weather, weatherObserved } from '../src/weather.ts'
import { airportDescribed } from '../src/airport.ts'
import { airports } from '../src/airports.ts'
import { temporaryDirectory } from './world.ts'

const observation = (id: string) => ({ id, source: '/test', time: '2018-02-01T00:00:00Z', body: Buffer.from(id) })
const observations = ['a', 'b', 'c', 'd'].map(observation)
const stored: SingleOutcome = { status: 'stored', partition: 2, offset: 7, schemaId: 258 }
const unconfirmed: SingleOutcome = { status: 'unconfirmed', detail: '503' }

/** Runs a feed against a gateway that answers so to each request, and says what it asked for and what it noted. */
async function feed(
  answerTo: (request: number) => SingleOutcome,
  { sent = 0, type = quakeRecorded, pace = steady }: { sent?: number; type?: EventType; pace?: Pace } = {},
) {
  const file = join(temporaryDirectory(), 'ledger.csv')
  const posted: string[] = []
  const positions: number[] = []
  const stop = new AbortController()
  const ledger = openLedger(file)
  const running = runFeed(
    {
      type,
      pace,
      observations,
      ledger,
      sent,
      onSent: (position) => {
        positions.push(position)
        return Promise.resolve()
      },
    },
    (_type, { id }) => {
      posted.push(id)
      return Promise.resolve(answerTo(posted.length - 1))
    },
    stop.signal,
  )
  const failure = await running.then(
    () => undefined,
    (error: unknown) => error,
  )
  ledger.close()
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return {
    posted,
    positions,
    failure,
    answers: lines.map((line) => line.split('\t')).filter(([kind]) => kind !== 'sending'),
  }
}

describe('a feed', () => {
  test('sends every observation once, in order, and notes where each is', async () => {
    const { posted, positions, answers } = await feed(() => stored)
    expect(posted).toEqual(['a', 'b', 'c', 'd'])
    expect(positions).toEqual([1, 2, 3, 4])
    expect(answers.map(([kind, , , id, partition, offset]) => [kind, id, partition, offset])).toEqual(
      ['a', 'b', 'c', 'd'].map((id) => ['accepted', id, '2', '7']),
    )
  })

  test('goes on behind what an earlier run has sent', async () => {
    expect((await feed(() => stored, { sent: 3 })).posted).toEqual(['d'])
  })

  test('sends what is not confirmed again before it goes on', async () => {
    const { posted, positions } = await feed((request) => (request === 1 || request === 2 ? unconfirmed : stored))
    expect(posted).toEqual(['a', 'b', 'b', 'b', 'c', 'd'])
    expect(positions).toEqual([1, 2, 3, 4])
  })

  test('ends with what was refused, and says which', async () => {
    const { failure, posted } = await feed((request) =>
      request === 1 ? { status: 'rejected', detail: '422 no' } : stored,
    )
    expect(failure).toMatchObject({ code: 'replay.failed' })
    expect(String(failure)).toContain('event b of quake.recorded, which is valid: 422 no')
    expect(posted).toEqual(['a', 'b'])
  })

  test('that others wait for has several under way, and goes on when all of them are confirmed', async () => {
    const { posted, positions } = await feed((request) => (request === 1 ? unconfirmed : stored), {
      pace: { ...atOnce, inFlight: 3 },
    })
    expect(posted).toEqual(['a', 'b', 'c', 'b', 'd'])
    expect(positions).toEqual([3, 4])
  })

  test('notes what else was under way when one is refused', async () => {
    const refused: SingleOutcome = { status: 'rejected', detail: '422 no' }
    const { failure, positions, answers } = await feed((request) => (request === 0 ? refused : stored), {
      pace: atOnce,
    })
    expect(failure).toMatchObject({ code: 'replay.failed' })
    expect(positions).toEqual([])
    expect(answers.map(([kind]) => kind)).toEqual(['rejected', 'accepted', 'accepted', 'accepted'])
  })

  test.each([
    { type: airportDescribed, frame: [] },
    { type: quakeRecorded, frame: [0, 0, 0, 1, 2] },
    { type: weatherObserved, frame: [0, 0, 0, 1, 2, 0] },
  ])('expects the bytes of $type.format behind the frame of the registry', async ({ type, frame }) => {
    const { answers } = await feed(() => stored, { type })
    expect(answers[0]?.[6]).toBe(hash('sha256', Buffer.concat([Buffer.from(frame), Buffer.from('a')])))
  })
})

test.each([
  { name: 'airports', read: airports, count: 3_376 },
  { name: 'quakes', read: quakes, count: 1_707 },
  { name: 'days of weather', read: weather, count: 2_922 },
])('there are $count $name, each with an id of its own, in the order of their time', async ({ read, count }) => {
  const all = await read()
  expect(new Set(all.map(({ id }) => id)).size).toBe(count)
  const times = all.map(({ time }) => Date.parse(time))
  expect(times).toEqual(times.toSorted((left, right) => left - right))
  expect(all.filter(({ body }) => body.length === 0)).toEqual([])
})
