import { expect, test } from 'vitest'
import { type Flight, flights, isCompared } from '../../src/processing/flights.ts'
import { flightDeparted } from '../../src/processing/platform.ts'
import { recordOf } from '../../src/processing/records.ts'

const count = 20_000
const toleratedMs = 300_000
const made = [...flights(count)]
const compared = made.filter(({ origin }) => isCompared(origin))
const closing = made.slice(count)

test('the same flights come each time', () => {
  expect([...flights(count)]).toEqual(made)
  expect(new Set(made.map(({ flight }) => flight)).size).toBe(count + flightDeparted.partitions)
})

test('what is compared is out of order no further than pipelines wait', () => {
  let latestMs = -Infinity
  let disordered = 0
  for (const { atMs } of compared) {
    if (atMs < latestMs) disordered += 1
    expect(latestMs - atMs).toBeLessThan(toleratedMs)
    latestMs = Math.max(latestMs, atMs)
  }
  expect(disordered / count).toBeGreaterThan(0.2)
})

test('a few have missed all windows, and are of origins that are not compared', () => {
  const late = made.slice(0, count).filter(({ origin }) => !isCompared(origin))
  expect(late.length / count).toBeGreaterThan(0.0005)
  expect(late.length / count).toBeLessThan(0.002)
  const lastMs = Math.max(...compared.map(({ atMs }) => atMs))
  expect(Math.max(...late.map(({ atMs }) => atMs))).toBeLessThan(lastMs - 5 * 3_600_000)
})

test('each partition ends with a flight that closes all windows, and is in none that is compared', () => {
  expect(closing.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4, 5])
  const lastMs = Math.max(...compared.map(({ atMs }) => atMs))
  for (const { atMs, origin } of closing) {
    expect(atMs).toBeGreaterThan(lastMs + 4 * 3_600_000)
    expect(isCompared(origin)).toBe(false)
  }
})

test('keys are many, and some come far more often than others', () => {
  const byOrigin = Map.groupBy(compared, ({ origin }) => origin)
  const counts = [...byOrigin.values()].map((of) => of.length).toSorted((one, other) => other - one)
  expect(counts.length).toBe(300)
  expect(counts[0]).toBeGreaterThan(10 * (counts.at(-1) ?? Infinity))
})

test('a record is what the gateway stores of an event', () => {
  const flight: Flight = {
    ...made[0],
    flight: 7,
    atMs: 0,
    origin: 'MAA',
    destination: 'MBH',
    distance: 12.5,
    delay: -3,
  }
  const { topic, key, value, headers, partition } = recordOf(flight, 'https://registry/schemas/ids/1')
  expect(topic).toBe('bench.flight')
  expect(key?.toString()).toBe('MAA')
  expect(partition).toBeUndefined()
  expect(JSON.parse(value?.toString() ?? '')).toEqual({
    ...{ flight: 7, date: '1970-01-01T00:00:00.000Z', origin: 'MAA', destination: 'MBH', distance: 12.5, delay: -3 },
  })
  expect([...headers.keys()]).toEqual([
    ...['ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'ce_time', 'ce_dataschema', 'content-type'],
    ...['millrace_fingerprint', 'millrace_event_time'],
  ])
})
