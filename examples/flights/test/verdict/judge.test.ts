import { type Check, type CheckResult, runCheck } from '@millrace/ledger/check'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checksOf } from '../../src/verdict/checks.ts'
import { derive, judge, type PipelineFindings, type Verdict } from '../../src/verdict/judge.ts'
import { judged, source } from '../small-pipelines.ts'
import { at, databaseOf, type Sent, stream, withoutPlace, type World, worldOf } from '../world.ts'
import type { Judged } from '../../src/verdict/semantics.ts'
import { errorsOfEvents } from './planted-events.ts'
import { errorsOfFeeds } from './planted-feeds.ts'
import { errorsOfPipelines } from './planted-pipelines.ts'
import { errorsOfResults } from './planted-results.ts'

const plantedErrors = [...errorsOfEvents, ...errorsOfFeeds, ...errorsOfResults, ...errorsOfPipelines]

async function verdictOn(world: World, changed: Partial<Judged> = {}): Promise<Verdict> {
  const database = await databaseOf(world)
  try {
    return await judge(database, { ...judged, ...changed })
  } finally {
    database.close()
  }
}

/** One check alone: there are many errors to plant. */
async function checkedOn(world: World, check: Check): Promise<CheckResult> {
  const database = await databaseOf(world)
  try {
    await derive(database, judged)
    return await runCheck(database, check)
  } finally {
    database.close()
  }
}

function worldWith(plant: (world: World) => void): World {
  const world = worldOf(stream)
  plant(world)
  return world
}

function failing({ checks }: Verdict): string[] {
  return checks.filter(({ ok }) => !ok).map(({ name }) => name)
}

/** What is found at a pipeline where every event is in one window, and three are late. */
function found(pipeline: string): PipelineFindings {
  return { pipeline, results: 5, revisions: 0, counted: 7, missed: 3, open: 4, late: 3, dead: 1 }
}

describe('a world without a fault', () => {
  test('passes every check, each of which compares something', async () => {
    const { ok, checks } = await verdictOn(worldOf(stream))
    expect(ok).toBe(true)
    expect(checks.map(({ name }) => name)).toEqual(checksOf(judged).map(({ name }) => name))
    expect(checks.filter(({ compared }) => !(compared > 0))).toEqual([])
    expect(checks.flatMap(({ firstRows }) => firstRows)).toEqual([])
  })

  test('is described by what was found in it', async () => {
    expect((await verdictOn(worldOf(stream))).findings).toEqual({
      acknowledged: 13,
      fed: 2,
      unconfirmed: 1,
      refused: 1,
      stored: 15,
      copies: 0,
      firstCopies: [],
      fromOthers: 2,
      pipelines: [
        { ...found('delay-per-airport'), results: 7, revisions: 2, counted: 9, missed: 1, late: 1 },
        { ...found('departure-waves'), counted: 9, missed: 1, late: 1 },
        { ...found('departures-per-airport') },
        { ...found('departures-per-state'), results: 4 },
        { ...found('flights-per-destination'), results: 11, counted: 25, missed: 5, open: 12, late: 1 },
      ],
      results: 5,
      windowsClosed: 2,
      watermark: '1970-01-01T00:02:01Z',
      warehouseRows: 5,
      loadedUpTo: [
        { partition: 0, newest: '4', loaded: '4' },
        { partition: 1, newest: '2', loaded: '2' },
      ],
    })
  })

  test('may be any stream in any order, also before 1970', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sent, { maxLength: 60 }), async (events) => {
        const world = worldOf(
          events.map((event, index) => ({ ...event, id: String(index), partition: event.origin === 'CCC' ? 1 : 0 })),
        )
        expect(failing(await verdictOn(world))).toEqual([])
      }),
      { numRuns: 15 },
    )
  })

  test('may be empty', async () => {
    const { ok, findings } = await verdictOn(worldOf([]))
    expect(ok).toBe(true)
    expect(findings).toMatchObject({ stored: 0, acknowledged: 0, watermark: undefined, loadedUpTo: [] })
  })
})

const sent: fc.Arbitrary<Sent> = fc.record({
  id: fc.constant(''),
  partition: fc.constant(0),
  origin: fc.constantFrom('AAA', 'BBB', 'CCC'),
  destination: fc.constantFrom('AAA', 'BBB', 'CCC'),
  atSeconds: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: -300, max: 300 }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
  distance: fc.integer({ min: 1, max: 3_000 }),
  delay: fc.integer({ min: -60, max: 600 }),
  source: fc.constantFrom(source, '/elsewhere'),
})

describe('a planted error', () => {
  test.each(plantedErrors)('is found by $check: $error', async ({ check: name, plant, shows }) => {
    const check = checksOf(judged).filter((one) => one.name === name)
    const { ok, differing, firstRows } = await checkedOn(worldWith(plant), at(check, 0))
    expect(ok).toBe(false)
    expect(differing).toBeGreaterThan(0)
    expect(firstRows[0]).toMatchObject(shows)
  })

  test('makes the verdict false', async () => {
    const { ok, checks } = await verdictOn(worldWith(at(errorsOfPipelines, 0).plant))
    expect(ok).toBe(false)
    expect(checks.find(({ name }) => name === at(errorsOfPipelines, 0).check)).toMatchObject({ ok: false })
  })

  test('exists for every check', () => {
    expect(new Set(plantedErrors.map(({ check }) => check))).toEqual(new Set(checksOf(judged).map(({ name }) => name)))
  })

  test('that is everywhere is counted, and shown by its first rows alone', async () => {
    const world = worldWith(({ topic }) => topic.forEach((row) => (row.sha256 = 'f'.repeat(64))))
    const [check] = (await verdictOn(world)).checks
    expect(check).toMatchObject({ name: 'acknowledged-is-stored', compared: 13, differing: 13 })
    expect(check?.firstRows).toHaveLength(5)
  })
})

describe('it is no error', () => {
  test('that an event is stored again with the same bytes: copies are counted and shown', async () => {
    const { ok, findings } = await verdictOn(worldOf([...stream, at(stream, -2), at(stream, -2)]))
    expect(ok).toBe(true)
    expect(findings).toMatchObject({
      copies: 2,
      firstCopies: [{ source, id: '12', partition: 0, offsets: ['7', '8', '9'] }],
    })
  })

  test('that a copy of a late event is late too', async () => {
    const late = stream.filter(({ id }) => id === 'late AAA')
    const { ok, findings } = await verdictOn(worldOf([...stream, ...late]))
    expect(ok).toBe(true)
    expect(findings).toMatchObject({ copies: 1 })
    expect(findings.pipelines).toContainEqual({ ...found('departures-per-airport'), missed: 4, late: 4 })
  })

  test('that an event is acknowledged again as a duplicate of the first', async () => {
    const world = worldWith(({ ledger }) => ledger.push({ ...at(ledger, 0), status: 'duplicate' }))
    expect(await verdictOn(world)).toMatchObject({ ok: true, findings: { acknowledged: 13 } })
  })

  test('that an unconfirmed event is stored, or is not', async () => {
    const world = worldWith((changed) => {
      changed.ledger = changed.ledger.filter(({ id }) => id !== '12')
      changed.ledger.push(withoutPlace('unconfirmed', '12'), withoutPlace('unconfirmed', 'never stored'))
    })
    expect(await verdictOn(world)).toMatchObject({ ok: true, findings: { acknowledged: 12, unconfirmed: 3 } })
  })

  test('that an event was unconfirmed before it was acknowledged', async () => {
    const world = worldWith(({ ledger }) => ledger.unshift(withoutPlace('unconfirmed', '12')))
    expect(await verdictOn(world)).toMatchObject({ ok: true, findings: { acknowledged: 13, unconfirmed: 1 } })
  })

  test('that somebody else uses the id of a refused event', async () => {
    const world = worldWith(({ ledger }) => ledger.push(withoutPlace('rejected', 'malformed')))
    expect(await verdictOn(world)).toMatchObject({ ok: true, findings: { refused: 2 } })
  })

  test('that records without an identity differ', async () => {
    const world = worldOf([...stream, at(stream, -1), { ...at(stream, -1), delay: 5 }])
    for (const row of world.topic.slice(-2)) Object.assign(row, { source: null, id: null })
    expect(await verdictOn(world)).toMatchObject({ ok: true, findings: { copies: 0, fromOthers: 4 } })
  })

  test('that a window without a value has no mean', async () => {
    const world = worldOf(stream.map((event) => ({ ...event, delay: null })))
    expect(new Set(world.results.map((row) => row.mean_delay))).toEqual(new Set([null]))
    expect((await verdictOn(world)).ok).toBe(true)
  })

  test('that a mean was added up in another order', async () => {
    const world = worldWith(({ results, warehouse }) => {
      at(results, 0).mean_delay = 6.5 * (1 + 1e-12)
      at(warehouse, 0).mean_delay = 6.5 * (1 - 1e-12)
    })
    expect((await verdictOn(world)).ok).toBe(true)
  })

  test('that another component, or another topic, has dead letters', async () => {
    const world = worldWith(({ dead_letters: dead }) => {
      dead.push(
        { ...at(dead, 0), dead_by: 'gateway', origin_offset: 0 },
        { ...at(dead, 0), origin_topic: 'order.placed' },
      )
    })
    const { ok, findings } = await verdictOn(world)
    expect(ok).toBe(true)
    expect(findings.pipelines).toContainEqual(found('departures-per-airport'))
  })

  test('that no window is closed while a partition has no event', async () => {
    const { ok, findings } = await verdictOn(worldOf(stream.filter(({ partition }) => partition === 0)))
    expect(ok).toBe(true)
    expect(findings).toMatchObject({ results: 0, watermark: undefined })
    expect(findings.pipelines.map(({ open }) => open)).toEqual([8, 8, 8, 8, 24])
  })

  test('that a job which began again took several late events together', async () => {
    const world = worldWith((changed) => {
      changed.results = changed.results.filter(
        ({ pipeline, group_value: airport, window_end_ms: endMs, revision }) =>
          pipeline !== 'delay-per-airport' || airport !== 'AAA' || endMs !== 60_000 || revision === 2,
      )
    })
    expect(failing(await verdictOn(world))).toEqual(['revisions-are-consecutive'])
    expect(failing(await verdictOn(world, { beganAgain: true }))).toEqual([])
  })

  test('that a session ended before the event came that would have prolonged it, and is not late', async () => {
    const world = worldOf([
      { id: '0', partition: 0, origin: 'AAA', atSeconds: 5 },
      { id: '1', partition: 1, origin: 'CCC', atSeconds: 40 },
      { id: '2', partition: 0, origin: 'BBB', atSeconds: 40 },
      { id: '3', partition: 0, origin: 'AAA', atSeconds: 20 },
      { id: '4', partition: 0, origin: 'BBB', atSeconds: 90 },
      { id: '5', partition: 1, origin: 'CCC', atSeconds: 90 },
    ])
    const waves = world.results.filter(
      ({ pipeline, group_value: airport }) => pipeline === 'departure-waves' && airport === 'AAA',
    )
    expect(waves.map(({ window_start_ms: startMs, window_end_ms: endMs }) => [startMs, endMs])).toEqual([
      [5_000, 25_000],
      [20_000, 40_000],
    ])
    expect(failing(await verdictOn(world))).toEqual([])
  })
})
