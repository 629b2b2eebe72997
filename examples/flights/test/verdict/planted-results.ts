import { at } from '../world.ts'
import type { PlantedError } from './planted-error.ts'

const windowErrors: readonly PlantedError[] = [
  {
    check: 'windows-equal-recomputation',
    error: 'a window has a wrong count',
    plant: (world) => {
      at(world.results, 0).flights++
    },
    shows: { group_value: 'AAA', window_start_ms: '0', expected_flights: '2', flights: '3' },
  },
  {
    check: 'windows-equal-recomputation',
    error: 'a window has a wrong sum',
    plant: (world) => {
      at(world.results, 0).distance = 200.5
    },
    shows: { group_value: 'AAA', expected_distance: 200, distance: 200.5 },
  },
  {
    check: 'windows-equal-recomputation',
    error: 'a window has a wrong mean',
    plant: (world) => {
      at(world.results, 0).mean_delay = 6.5001
    },
    shows: { group_value: 'AAA', expected_mean_delay: 6.5, mean_delay: 6.5001 },
  },
  {
    check: 'windows-equal-recomputation',
    error: 'a window has no mean where there is one',
    plant: (world) => {
      at(world.results, 0).mean_delay = null
    },
    shows: { group_value: 'AAA', expected_mean_delay: 6.5, mean_delay: null },
  },
  {
    check: 'windows-equal-recomputation',
    error: 'a window has another end',
    plant: (world) => {
      at(world.results, 0).window_end_ms += 60_000
    },
    shows: { group_value: 'AAA', window_start_ms: '0' },
  },
  {
    check: 'windows-equal-recomputation',
    error: 'a window is missing',
    plant: (world) => {
      world.results = world.results.slice(1)
    },
    shows: { group_value: 'AAA', expected_flights: '2', flights: null },
  },
  {
    check: 'windows-equal-recomputation',
    error: 'a window is invented',
    plant: (world) => {
      world.results.push({ ...at(world.results, 0), offset: 98, group_value: 'ZZZ' })
    },
    shows: { group_value: 'ZZZ', expected_flights: null, flights: '2', offset: '98' },
  },
  {
    check: 'windows-equal-recomputation',
    error: 'a window was closed before its time',
    plant: (world) => {
      const bounds = { window_start_ms: 120_000, window_end_ms: 180_000 }
      world.results.push({ ...at(world.results, 0), ...bounds, offset: 98, flights: 1, distance: 100, mean_delay: 0 })
    },
    shows: { group_value: 'AAA', window_start_ms: '120000', expected_flights: null, flights: '1' },
  },
  {
    check: 'results-once',
    error: 'a window has its result twice',
    plant: (world) => {
      world.results.push({ ...at(world.results, 0), offset: 98 })
    },
    shows: {
      ...{ group_value: 'AAA', window_start_ms: '0', results: '2' },
      at: [
        { partition: 0, offset: '0' },
        { partition: 0, offset: '98' },
      ],
    },
  },
]

const accountErrors: readonly PlantedError[] = [
  {
    check: 'accounts-add-up',
    error: 'a malformed event is nowhere',
    plant: (world) => {
      world.dead_letters = world.dead_letters.slice(1)
    },
    shows: { pipeline: 'departures-per-airport', stored: '15', counted: '7', missed: '3', open: '4', dead: '0' },
  },
  {
    check: 'accounts-add-up',
    error: 'a late event is counted too',
    plant: (world) => {
      at(world.results, 0).flights++
    },
    shows: { stored: '15', counted: '8', missed: '3' },
  },
  {
    check: 'accounts-add-up',
    error: 'a late event is nowhere',
    plant: (world) => {
      world.late = world.late.slice(1)
    },
    shows: { stored: '15', counted: '7', missed: '2' },
  },
]

const accountingErrors: readonly PlantedError[] = [
  ...(
    [
      ['has another number of stored events', { accepted: 13 }, { stored: '15', accepted: '13' }],
      ['has counted too little in windows', { processed: 10 }, { in_windows: '11', processed: '10' }],
      ['has counted an event as filtered', { filtered: 1 }, { filtered: '1' }],
      ['has counted too many late events', { late: 4 }, { late: '3', told_late: '4' }],
      ['has no dead letter', { dead_lettered: 0 }, { dead: '1', dead_lettered: '0' }],
      ['says that an event is in flight', { in_flight: 1 }, { in_flight: '1' }],
      ['says that an event is unaccounted for', { unaccounted: 1 }, { unaccounted: '1' }],
    ] as const
  ).map(([error, changed, shows]): PlantedError => ({
    check: 'accounting-agrees',
    error: `the accounting ${error}`,
    plant: (world) => {
      Object.assign(at(world.accounting, 0), changed)
    },
    shows,
  })),
  {
    check: 'accounting-agrees',
    error: 'an event is unaccounted for at another reader',
    plant: (world) => {
      at(world.accounting, -1).unaccounted = 2
    },
    shows: { reader: 'worker/other', unaccounted: '2' },
  },
  {
    check: 'accounting-agrees',
    error: 'the accounting knows nothing of the pipeline',
    plant: (world) => {
      world.accounting = world.accounting.slice(1)
    },
    shows: { stored: '15', accepted: null },
  },
]

const warehouseErrors: readonly PlantedError[] = [
  {
    check: 'results-are-loaded',
    error: 'a row is missing',
    plant: (world) => {
      world.warehouse = world.warehouse.slice(1)
    },
    shows: { partition: 0, offset: '0', origin: 'AAA', loaded_origin: null },
  },
  {
    check: 'results-are-loaded',
    error: 'a row is there twice',
    plant: (world) => {
      world.warehouse.push({ ...at(world.warehouse, 0) })
    },
    shows: { partition: 0, offset: '0', copies: '2' },
  },
  {
    check: 'results-are-loaded',
    error: 'a row is there that is newer than every result',
    plant: (world) => {
      world.warehouse.push({ ...at(world.warehouse, 0), offset: 98 })
    },
    shows: { partition: 0, offset: '98', copies: '1', origin: null },
  },
  ...(
    [
      ['count', { flights: 7 }, { loaded_flights: '7' }],
      ['sum', { distance: 7 }, { loaded_distance: 7 }],
      ['mean', { mean_delay: 7 }, { loaded_mean_delay: 7 }],
      ['null for a mean', { mean_delay: null }, { loaded_mean_delay: null }],
      ['airport', { origin: 'ZZZ' }, { loaded_origin: 'ZZZ' }],
      ['start', { window_start_ms: 7 }, { loaded_start_ms: '7' }],
      ['end', { window_end_ms: 7 }, { loaded_start_ms: '0' }],
    ] as const
  ).map(([value, changed, shown]): PlantedError => ({
    check: 'results-are-loaded',
    error: `a row has another ${value}`,
    plant: (world) => {
      Object.assign(at(world.warehouse, 0), changed)
    },
    shows: { partition: 0, offset: '0', copies: '1', ...shown },
  })),
  {
    check: 'results-are-loaded',
    error: 'a row is invented among those that were read',
    plant: (world) => {
      world.warehouse.push({ ...at(world.warehouse, 0), offset: 1 })
    },
    shows: { partition: 0, offset: '1', origin: null, loaded_origin: 'AAA' },
  },
  {
    check: 'results-are-loaded',
    error: 'a row is in a partition that has no results',
    plant: (world) => {
      world.warehouse.push({ ...at(world.warehouse, 0), partition: 9 })
    },
    shows: { partition: 9, offset: '0', origin: null, loaded_origin: 'AAA' },
  },
]

/** In what the pipeline and the sink made of the events. */
export const errorsOfResults: readonly PlantedError[] = [
  ...windowErrors,
  ...accountErrors,
  ...accountingErrors,
  ...warehouseErrors,
]
