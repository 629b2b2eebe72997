import type { Dataset } from '@millrace/example-flights/dataset'
import { compareReports, type Flight } from '@millrace/example-flights/flight'
import { expect, test } from 'vitest'
import { everyYear } from '../../src/platform/every-year.ts'

const flight = (row: number, at: string): Flight => {
  const departedMs = Date.parse(at)
  const reportedMs = departedMs + 60_000
  return { row, departedMs, reportedMs, origin: 'AAA', destination: 'BBB', distance: 1, delay: 1 }
}
const all = [flight(1, '2001-01-01T00:00:00Z'), flight(0, '2001-03-01T00:00:00Z'), flight(2, '2001-06-30T23:59:00Z')]

function datasetOf(flights: readonly Flight[]): Dataset {
  return {
    // eslint-disable-next-line @typescript-eslint/require-await -- as a dataset gives them
    async *flights(after) {
      for (const one of flights) if (!after || compareReports(one, after) > 0) yield [one]
    },
    close: () => undefined,
  }
}

async function first(count: number, after?: Flight): Promise<Flight[]> {
  const taken: Flight[] = []
  for await (const slice of everyYear(datasetOf(all)).flights(after)) {
    taken.push(...slice)
    if (taken.length >= count) break
  }
  return taken
}

test('after the last flight comes the first one again, a year later and with a row of its own', async () => {
  const flights = await first(7)
  expect(flights.map(({ departedMs }) => new Date(departedMs).toISOString().slice(0, 10))).toEqual([
    ...['2001-01-01', '2001-03-01', '2001-06-30', '2002-01-01', '2002-03-01', '2002-06-30', '2003-01-01'],
  ])
  expect(new Set(flights.map(({ row }) => row)).size).toBe(7)
  expect(flights.toSorted(compareReports)).toEqual(flights)
})

test('a replay goes on where it stopped, in whichever year', async () => {
  const flights = await first(8)
  for (const [index, stoppedAt] of flights.slice(0, 6).entries()) {
    expect(await first(2, stoppedAt)).toEqual(flights.slice(index + 1, index + 3))
  }
})

test('nothing, again and again, comes to an end', async () => {
  expect(await Array.fromAsync(everyYear(datasetOf([])).flights(undefined))).toEqual([])
})
