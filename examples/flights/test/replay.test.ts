import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { partitionForKey } from '@millrace/core/partitioner'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Dataset, datasetFile, openDataset } from '../src/dataset.ts'
import { compareReports, type Flight, flightDeparted } from '../src/flight.ts'
import { openLedger } from '@millrace/ledger/ledger'
import { departuresPerAirport } from '../src/pipelines.ts'
import { openPositions } from '../src/positions.ts'
import { replay, type ReplayEnd, type ReplaySettings } from '../src/replay.ts'
import { replayStatistics } from '../src/statistics.ts'
import { type Database, literal, openDatabase } from '@millrace/ledger/database'
import { type FakeGateway, fakeGateway, flight } from './fake-gateway.ts'
import { lateCount, lateCountSql } from './late-count.ts'
import { at, temporaryDirectory } from './world.ts'

// Only the order matters here: waiting before a retry is not what is tested.
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<object>()),
  setTimeout: () => Promise.resolve(),
}))

const lanes = flightDeparted.partitions
const defaults: ReplaySettings = {
  eventsPerSecond: undefined,
  batchEventsMax: 100,
  tickMs: 3_600_000,
  confirmDeadlineMs: 60_000,
}

type Run = {
  readonly dataset: Dataset
  readonly gateway: FakeGateway
  readonly directory: string
  readonly settings?: Partial<ReplaySettings>
  readonly signal?: AbortSignal
}

async function run({ dataset, gateway, directory, settings = {}, signal = new AbortController().signal }: Run) {
  const ledger = openLedger(join(directory, 'ledger'))
  const statistics = replayStatistics()
  const positions = openPositions(join(directory, 'positions'), gateway.stored.length)
  const parts = { dataset, eventType: flightDeparted.name, post: gateway.post, ledger, positions, statistics }
  try {
    const end: ReplayEnd = await replay(parts, { ...defaults, ...settings }, signal)
    return { end, numbers: statistics.numbers() }
  } finally {
    ledger.close()
  }
}

/** A dataset of flights that are given. */
function datasetOf(flights: readonly Flight[]): Dataset {
  const reports = flights.toSorted(compareReports)
  return {
    flights: async function* (after) {
      yield await Promise.resolve(reports.filter((one) => !after || compareReports(one, after) > 0))
    },
    close: () => undefined,
  }
}

function inLanes(flights: readonly Flight[], laneCount: number): string[][] {
  const ids: string[][] = Array.from({ length: laneCount }, () => [])
  for (const { origin, row } of flights.toSorted(compareReports)) {
    ids[partitionForKey(Buffer.from(origin), laneCount)]?.push(String(row))
  }
  return ids
}

function idsOf({ stored }: FakeGateway): string[][] {
  return stored.map((events) => events.map(({ id }) => id))
}

function ledgerOf(directory: string): string[][] {
  const lines = readFileSync(join(directory, 'ledger'), 'utf8').trim().split('\n')
  return lines.map((line) => line.split('\t'))
}

const airports = ['SFO', 'LAX', 'ATL', 'JFK', 'ORD', 'DEN', 'SEA', 'MIA', 'BOS']
const manyFlights = Array.from({ length: 1_000 }, (_, row) =>
  flight(row, {
    origin: at(airports, row % airports.length),
    departedMs: Date.UTC(2001, 0, 1) + row * 60_000,
    reportedMs: Date.UTC(2001, 0, 1) + (row + ((row * 31) % 90)) * 60_000,
  }),
)

describe('the first days of the dataset', () => {
  const untilMs = Date.UTC(2001, 0, 3)
  let dataset: Dataset
  let firstDays: Dataset
  let database: Database
  beforeAll(async () => {
    dataset = await openDataset()
    firstDays = { flights: (after) => before(untilMs, dataset.flights(after)), close: () => undefined }
    database = await openDatabase()
    await database.run(`
      CREATE TABLE reports AS
      SELECT file_row_number AS row, origin, epoch_ms(date) AS event_ms,
        epoch_ms(date) + greatest(delay, 0) * 60000 AS reported_ms
      FROM read_parquet(${literal(datasetFile)}, file_row_number = true)
      WHERE date < make_timestamp_ms(${untilMs}) AND reported_ms < ${untilMs}`)
    const origins = await database.rows('SELECT DISTINCT origin FROM reports')
    const lanesOfOrigins = origins.map(({ origin }) =>
      typeof origin === 'string' ? `(${literal(origin)}, ${partitionForKey(Buffer.from(origin), lanes)})` : '',
    )
    await database.run(`
      CREATE TABLE sent AS
      SELECT lane, row, event_ms, row_number() OVER (ORDER BY reported_ms, row) AS position
      FROM reports JOIN (VALUES ${lanesOfOrigins.join()}) AS lanes(origin, lane) USING (origin)`)
  }, 30_000)
  afterAll(() => {
    dataset.close()
    database.close()
  })

  async function* before(endMs: number, slices: AsyncGenerator<readonly Flight[]>): AsyncGenerator<readonly Flight[]> {
    for await (const slice of slices) {
      const within = slice.filter(({ reportedMs }) => reportedMs < endMs)
      if (within.length > 0) yield within
      if (within.length < slice.length) return
    }
  }

  const rule = { windowMs: 3_600_000, outOfOrdernessMs: departuresPerAirport.watermark.outOfOrdernessMs }

  async function expected(lane: number) {
    const rows = await database.rows(`SELECT row::VARCHAR AS id FROM sent WHERE lane = ${lane} ORDER BY position`)
    const late = await database.number(lateCountSql(`(FROM sent WHERE lane = ${lane})`, rule))
    return { ids: rows.map(({ id }) => id), late }
  }

  async function expectReportOrder(gateway: FakeGateway): Promise<void> {
    for (const [lane, events] of gateway.stored.entries()) {
      const { ids, late } = await expected(lane)
      expect(ids.length).toBeGreaterThan(1_000)
      expect(events.map(({ id }) => id)).toEqual(ids)
      expect(late).toBeGreaterThan(100)
      const times = events.map(({ atMs }) => atMs)
      expect(lateCount(times, rule)).toBe(late)
    }
  }

  test('reach each lane in report order, so as many are late as DuckDB counts in the dataset', async () => {
    const gateway = fakeGateway(lanes)
    const { end, numbers } = await run({ dataset: firstDays, gateway, directory: temporaryDirectory() })
    expect(end).toBe('exhausted')
    await expectReportOrder(gateway)
    expect(gateway.inFlightMax()).toBe(1)
    expect(numbers).toMatchObject({ acknowledged: gateway.stored.flat().length, retries: 0, duplicates: 0 })
  })

  test('do so too when requests are lost or not answered', async () => {
    const gateway = fakeGateway(lanes, ({ number }) =>
      number % 5 === 1 ? 'lost' : number % 7 === 3 ? 'unanswered' : undefined,
    )
    const { numbers } = await run({ dataset: firstDays, gateway, directory: temporaryDirectory() })
    await expectReportOrder(gateway)
    expect(gateway.inFlightMax()).toBe(1)
    expect(numbers.duplicates).toBeGreaterThan(0)
    expect(numbers.retries).toBeGreaterThan(numbers.duplicates)
  })

  test('do so too when the replay is stopped and started again', async () => {
    const directory = temporaryDirectory()
    const stop = new AbortController()
    const gateway = fakeGateway(lanes, ({ number }) => {
      if (number === 150) stop.abort()
      return undefined
    })
    expect((await run({ dataset: firstDays, gateway, directory, signal: stop.signal })).end).toBe('stopped')
    const first = gateway.stored.flat().length
    const { end, numbers } = await run({ dataset: firstDays, gateway, directory })
    expect(end).toBe('exhausted')
    await expectReportOrder(gateway)
    expect(numbers).toMatchObject({ acknowledged: gateway.stored.flat().length - first, duplicates: 0 })
  })
})

test('a request has no more events than it may', async () => {
  const gateway = fakeGateway(2)
  await run({
    dataset: datasetOf(manyFlights),
    gateway,
    directory: temporaryDirectory(),
    settings: { batchEventsMax: 7 },
  })
  expect(Math.max(...gateway.requests.map(({ events }) => events.length))).toBe(7)
  expect(idsOf(gateway)).toEqual(inLanes(manyFlights, 2))
})

test('no lane is more than one tick ahead of another', async () => {
  const flights = manyFlights.map((one) => ({ ...one, reportedMs: one.departedMs }))
  const tickOf = (atMs: number): number => Math.floor(atMs / defaults.tickMs)
  const ahead: number[] = []
  const gateway: FakeGateway = fakeGateway(3, ({ events }) => {
    const storedIds = new Set(idsOf(gateway).flat())
    const oldest = flights.find(({ row }) => !storedIds.has(String(row)))
    ahead.push(tickOf(at(events, 0).atMs) - tickOf(oldest?.departedMs ?? Infinity))
    return undefined
  })
  await run({ dataset: datasetOf(flights), gateway, directory: temporaryDirectory() })
  expect(Math.max(...ahead)).toBe(1)
})

test('events of a batch that were not confirmed are sent again before the next batch, and are stored once', async () => {
  const gateway = fakeGateway(1, ({ number }) => (number === 0 ? 'partly' : undefined))
  const flights = Array.from({ length: 8 }, (_, row) => flight(row))
  const settings = { batchEventsMax: 6 }
  await run({ dataset: datasetOf(flights), gateway, directory: temporaryDirectory(), settings })
  expect(gateway.requests.map(({ events }) => events.map(({ id }) => id))).toEqual([
    ['0', '1', '2', '3', '4', '5'],
    ['1', '2', '4', '5'],
    ['6', '7'],
  ])
  // 2 and 5 were stored at first; 1 and 4 were not, and come behind their batch.
  expect(idsOf(gateway)).toEqual([['0', '2', '3', '5', '1', '4', '6', '7']])
})

test('after a crash before the positions were written, a batch a lane is sent again with its ids', async () => {
  const directory = temporaryDirectory()
  const stop = new AbortController()
  const file = join(directory, 'positions')
  const gateway = fakeGateway(3, (request) => {
    if (request.number === 30) copyFileSync(file, `${file}.crashed`)
    if (request.number === 33) stop.abort()
    return undefined
  })
  await run({ dataset: datasetOf(manyFlights), gateway, directory, signal: stop.signal })
  copyFileSync(`${file}.crashed`, file)
  const { numbers } = await run({ dataset: datasetOf(manyFlights), gateway, directory })
  expect(numbers.duplicates).toBeGreaterThan(0)
  expect(idsOf(gateway)).toEqual(inLanes(manyFlights, 3))
})

test('what is not confirmed when the replay is stopped is left to the next run', async () => {
  const directory = temporaryDirectory()
  const stop = new AbortController()
  const gateway = fakeGateway(1, (request) => {
    if (request.number === 1) stop.abort()
    return request.number === 1 ? 'unanswered' : undefined
  })
  const flights = Array.from({ length: 9 }, (_, row) => flight(row))
  const settings = { batchEventsMax: 3 }
  expect((await run({ dataset: datasetOf(flights), gateway, directory, settings, signal: stop.signal })).end).toBe(
    'stopped',
  )
  const { numbers } = await run({ dataset: datasetOf(flights), gateway, directory, settings })
  expect(numbers).toMatchObject({ acknowledged: 6, duplicates: 3 })
  expect(idsOf(gateway)).toEqual(inLanes(flights, 1))
})

test('a refused event ends the replay, and the answers to the other lanes are in the ledger', async () => {
  const directory = temporaryDirectory()
  const gateway = fakeGateway(3, ({ number }) => (number === 4 ? { kind: 'refused', detail: '422' } : undefined))
  const running = run({ dataset: datasetOf(manyFlights), gateway, directory })
  await expect(running).rejects.toMatchObject({ code: 'replay.failed' })
  const lines = ledgerOf(directory)
  const sent = lines.filter(([kind]) => kind === 'sending').map(([, request]) => request)
  const answered = new Set(lines.filter(([kind]) => kind !== 'sending').map(([, request]) => request))
  expect(sent).toHaveLength(gateway.requests.length)
  expect(new Set(sent)).toEqual(answered)
  expect(gateway.requests.length).toBeLessThan(10)
  expect(lines.filter(([kind]) => kind === 'accepted')).toHaveLength(gateway.stored.flat().length)
})
