import { expect, test } from 'vitest'
import { flights } from '../../src/processing/flights.ts'
import { works } from '../../src/processing/platform.ts'
import { Comparison, expectedResults, type Results } from '../../src/processing/results.ts'

const hourMs = 3_600_000
const tumbling = works.filter(({ name }) => name === 'tumbling')
const [work] = tumbling
const expected = of(expectedResults(2_000, works), 'tumbling')

function of(results: ReadonlyMap<string, Results>, name: string): Results {
  const found = results.get(name)
  if (!found) throw new TypeError(`no results of ${name}`)
  return found
}

function comparison(): Comparison {
  if (!work) throw new TypeError('no work')
  return new Comparison(expected, work)
}

/** All results as records have them, some of them changed. */
function values(change: Readonly<Record<string, unknown>> = {}): Buffer[] {
  return [...expected].map(([key, aggregates], index) => {
    const [origin = '', windowStart = ''] = key.split(' ')
    const windowEnd = new Date(Date.parse(windowStart) + hourMs).toISOString()
    return Buffer.from(
      JSON.stringify({ origin, windowStart, windowEnd, ...aggregates, ...(index === 3 ? change : {}) }),
    )
  })
}

function differences(taken: readonly Buffer[]): readonly string[] {
  const held = comparison()
  for (const value of taken) held.take(value)
  return held.differences
}

test('every flight that is compared is in one tumbling window, and in three that slide', () => {
  const counted = (name: string) =>
    [...of(expectedResults(2_000, works), name).values()].reduce((sum, aggregates) => sum + aggregates.flights, 0)
  const compared = [...flights(2_000)].filter(({ origin }) => /^[A-Z]{3}$/.test(origin) && origin !== 'END')
  expect(counted('tumbling')).toBe(compared.length)
  expect(counted('sliding')).toBe(3 * compared.length)
})

test('all results, in any order and with sums that differ in their last digits, are the same', () => {
  const [third] = [...expected.values()].slice(3)
  expect(differences(values({ distance: (third?.distance ?? 0) * (1 + 1e-12) }).toReversed())).toEqual([])
})

test('it is over when all results are there', () => {
  const held = comparison()
  const all = values()
  for (const value of all.slice(1)) held.take(value)
  expect(held.has(1)).toBe(false)
  expect(held.differences).toEqual([`1 results of ${all.length} are missing`])
  for (const value of all.slice(0, 1)) held.take(value)
  expect(held.has(1)).toBe(true)
})

test.each([
  [{ flights: 99 }, '"flights":99'],
  [{ distance: 1 }, '"distance":1,'],
  [{ meanDelay: 1e6 }, '"meanDelay":1000000'],
  [{ windowEnd: '2026-01-07T00:00:00Z' }, 'up to 2026-01-07T00:00:00Z'],
])('a result with %j is told', (change, told) => {
  const found = differences(values(change))
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(told)
})

test('a result that comes twice is told, and so is one of a window without flights', () => {
  const all = values()
  expect(differences([...all, ...all.slice(0, 1)])).toEqual([expect.stringContaining('has two results')])
  expect(differences([...values(), ...values({ windowStart: '2025-01-01T00:00:00Z' }).slice(3, 4)])).toEqual([
    expect.stringContaining('2025-01-01T00:00:00.000Z has a result and no flight'),
  ])
})

test('what is of no origin that is compared is passed over', () => {
  const other = values({ origin: 'LT1', flights: 99 }).slice(3, 4)
  expect(differences([...values(), ...other])).toEqual([])
})
