import type { ResultRow } from '../small-pipelines.ts'
import type { World } from '../world.ts'
import type { PlantedError } from './planted-error.ts'

type Wanted = Partial<Pick<ResultRow, 'group_value' | 'window_start_ms' | 'revision'>> & { readonly pipeline: string }

function resultOf({ results }: World, wanted: Wanted): ResultRow {
  const found = results.find((row) =>
    Object.entries(wanted).every(([column, value]) => Reflect.get(row, column) === value),
  )
  if (found === undefined) throw new RangeError(`there is no result ${JSON.stringify(wanted)}`)
  return found
}

/** Replaces a result by others that are like it but for what is said, at offsets where nothing is. */
function replace(world: World, wanted: Wanted, ...by: readonly Partial<ResultRow>[]): void {
  const row = resultOf(world, wanted)
  const others = by.map((changed, index) => ({ ...row, offset: 90 + index, ...changed }))
  world.results = [...world.results.filter((result) => result !== row), ...others]
}

const sliding = { pipeline: 'flights-per-destination', group_value: 'AAA', window_start_ms: 20_000 }
const wave = { pipeline: 'departure-waves', group_value: 'AAA', window_start_ms: 50_000 }
const corrected = { pipeline: 'delay-per-airport', group_value: 'AAA', window_start_ms: 0 }
const ofState = { pipeline: 'departures-per-state', group_value: 'WA', window_start_ms: 0 }

const slidingErrors: readonly PlantedError[] = [
  {
    error: 'a window counts an event that missed it',
    plant: (world: World) => replace(world, { ...sliding, window_start_ms: 0 }, { flights: 2, counted: 2, origins: 2 }),
    shows: { group_value: 'AAA', window_start_ms: '0', expected_flights: '1', flights: '2' },
  },
  {
    error: 'a window has a wrong number of different values',
    plant: (world: World) => replace(world, sliding, { origins: 3 }),
    shows: { group_value: 'AAA', expected_origins: '2', origins: '3' },
  },
  {
    error: 'a window has a wrong greatest value',
    plant: (world: World) => replace(world, sliding, { longest: 99 }),
    shows: { group_value: 'AAA', expected_longest: 100, longest: 99 },
  },
  {
    error: 'a window is missing',
    plant: (world: World) => replace(world, sliding),
    shows: { group_value: 'AAA', window_start_ms: '20000', flights: null },
  },
  {
    error: 'a window begins between two that slide',
    plant: (world: World) => replace(world, sliding, { window_start_ms: 30_000, window_end_ms: 90_000 }),
    shows: { group_value: 'AAA', window_start_ms: '20000', flights: null },
  },
].map((error) => ({ check: 'sliding-equal-recomputation', ...error }))

const sessionErrors: readonly PlantedError[] = [
  {
    error: 'a session is split in two where an event followed in time',
    plant: (world: World) => {
      const half = { flights: 2, counted: 2, distance: 200 }
      replace(world, wave, { ...half, window_end_ms: 78_000 }, { ...half, window_start_ms: 65_000 })
    },
    shows: { group_value: 'AAA', window_start_ms: '50000', expected_window_end_ms: '95000', window_end_ms: '78000' },
  },
  {
    error: 'two sessions are one',
    plant: (world: World) => {
      replace(world, { ...wave, window_start_ms: 5_000 })
      replace(world, wave, { window_start_ms: 5_000, flights: 5, counted: 5, distance: 500 })
    },
    shows: { group_value: 'AAA', window_start_ms: '5000', expected_window_end_ms: '25000', window_end_ms: '95000' },
  },
  {
    error: 'a session has a wrong sum',
    plant: (world: World) => replace(world, wave, { distance: 300 }),
    shows: { group_value: 'AAA', expected_distance: 400, distance: 300 },
  },
  {
    error: 'a session ends with its last event',
    plant: (world: World) => replace(world, wave, { window_end_ms: 75_000 }),
    shows: { group_value: 'AAA', expected_window_end_ms: '95000', window_end_ms: '75000' },
  },
  {
    error: 'a session is missing',
    plant: (world: World) => replace(world, wave),
    shows: { group_value: 'AAA', expected_flights: '4', flights: null },
  },
].map((error) => ({ check: 'sessions-equal-recomputation', ...error }))

const correctionErrors: readonly PlantedError[] = [
  {
    error: 'the newest revision is missing',
    plant: (world: World) => replace(world, { ...corrected, revision: 2 }),
    shows: { group_value: 'AAA', expected_flights: '3', flights: '2', revision: '1' },
  },
  {
    error: 'the newest revision has a wrong mean',
    plant: (world: World) => replace(world, { ...corrected, revision: 2 }, { mean_delay: 4 }),
    shows: { group_value: 'AAA', mean_delay: 4 },
  },
  {
    error: 'a revision is by an event that came too late',
    plant: (world: World) => {
      const newest = resultOf(world, { ...corrected, group_value: 'CCC', revision: 2 })
      world.results.push({ ...newest, offset: 98, revision: 3, counted: 3, late: 2, flights: 3 })
    },
    shows: { group_value: 'CCC', expected_flights: '2', flights: '3', revision: '3' },
  },
].map((error) => ({ check: 'corrections-equal-recomputation', ...error }))

const revisionErrors: readonly PlantedError[] = [
  {
    error: 'a revision that was replaced had a wrong value',
    plant: (world: World) => replace(world, { ...corrected, revision: 1 }, { worst_delay: 11 }),
    shows: { group_value: 'AAA', revision: '1', expected_worst_delay: 10, worst_delay: 11 },
  },
  {
    error: 'a revision counts none of the late events',
    plant: (world: World) => replace(world, { ...corrected, revision: 2 }, { late: 0 }),
    shows: { group_value: 'AAA', revision: '2', counted: '3', late: '0' },
  },
  {
    error: 'a revision has another number',
    plant: (world: World) => replace(world, { ...corrected, revision: 2 }, { revision: 3 }),
    shows: { group_value: 'AAA', revision: '3', late: '1' },
  },
  {
    error: 'an event that came in time is a correction',
    plant: (world: World) => {
      const window = { ...corrected, window_start_ms: 60_000 }
      const first = { flights: 1, counted: 1, mean_delay: 0, worst_delay: 0 }
      replace(world, window, first, { revision: 2, late: 1 })
    },
    shows: { group_value: 'AAA', window_start_ms: '60000', revision: '2', partition_watermark_ms: '65000' },
  },
  {
    error: 'a revision counts more events than there are',
    plant: (world: World) => replace(world, { ...corrected, revision: 2 }, { counted: 4, late: 2, revision: 3 }),
    shows: { group_value: 'AAA', revision: '3', counted: '4', expected_flights: null },
  },
].map((error) => ({ check: 'revisions-equal-recomputation', ...error }))

const stateErrors: readonly PlantedError[] = [
  {
    error: 'a flight is in the state that its airport was in before',
    plant: (world: World) => replace(world, ofState, { group_value: 'CA' }),
    shows: { group_value: 'CA', expected_flights: null, flights: '2' },
  },
  {
    error: 'an airport that is in no state has one',
    plant: (world: World) => replace(world, { ...ofState, group_value: null }, { group_value: 'MI' }),
    shows: { group_value: 'MI', expected_flights: null, flights: '2' },
  },
  {
    error: 'a state has a wrong sum',
    plant: (world: World) => replace(world, ofState, { distance: 201 }),
    shows: { group_value: 'WA', expected_distance: 200, distance: 201 },
  },
  {
    error: 'the flights that are joined with nothing are missing',
    plant: (world: World) => replace(world, { ...ofState, group_value: null }),
    shows: { group_value: null, expected_flights: '2', flights: null },
  },
].map((error) => ({ check: 'states-equal-recomputation', ...error }))

const provenanceErrors: readonly PlantedError[] = [
  {
    check: 'revisions-are-consecutive',
    error: 'a revision that was replaced is missing',
    plant: (world) => replace(world, { ...corrected, revision: 1 }),
    shows: { group_value: 'AAA', revisions: ['2'] },
  },
  ...(
    [
      ['counts another number of events', { counted: 7 }, { counted: '7' }],
      ['is a revision, where nothing is corrected', { revision: 2 }, { revision: '2' }],
      ['counts a late event, where nothing is corrected', { late: 1 }, { late: '1' }],
    ] as const
  ).map(([error, changed, shows]) => ({
    ...{ check: 'results-tell-of-themselves', error: `a result ${error}`, shows },
    plant: (world: World) => replace(world, wave, changed),
  })),
  ...[sliding, wave, { ...corrected, revision: 2 }, ofState].map((wanted) => ({
    check: 'results-once',
    error: `a result of ${wanted.pipeline} is there twice`,
    plant: (world: World) => replace(world, wanted, {}, {}),
    shows: { pipeline: wanted.pipeline, group_value: wanted.group_value, results: '2' },
  })),
]

const missedErrors: readonly PlantedError[] = [
  {
    check: 'late-was-late',
    error: 'an event is said to have missed a window that was still open',
    plant: ({ late }) =>
      late.forEach((row) => (row.missed = row.id === 'late AAA' && row.missed === 1 ? 2 : row.missed)),
    shows: { pipeline: 'flights-per-destination', id: 'late AAA', missed: '2', missed_end_ms: '80000' },
  },
  {
    check: 'late-was-late',
    error: 'an event was taken to be too late for a correction that was not',
    plant: (world) => {
      const late = world.late.find(({ id }) => id === 'late AAA')
      if (late) world.late.push({ ...late, pipeline: corrected.pipeline, offset: 98 })
    },
    shows: { pipeline: 'delay-per-airport', id: 'late AAA', missed_end_ms: '120000' },
  },
  {
    check: 'accounts-add-up',
    error: 'a window that an event missed is not told',
    plant: ({ late }) => late.forEach((row) => (row.missed = row.missed === 3 ? 2 : row.missed)),
    shows: { pipeline: 'flights-per-destination', counted: '25', missed: '4' },
  },
]

/** In what the pipelines made of the events whose windows slide, are sessions or corrected, or that are joined. */
export const errorsOfPipelines: readonly PlantedError[] = [
  ...slidingErrors,
  ...sessionErrors,
  ...correctionErrors,
  ...revisionErrors,
  ...stateErrors,
  ...provenanceErrors,
  ...missedErrors,
]
