import { testPipeline } from '@millrace/core/test-pipeline'
import { expect, test } from 'vitest'
import { departuresPerAirport } from '../src/platform.ts'

let flights = 0
const flight = (origin: string, date: string, delay: number) => ({
  flight: (flights += 1),
  ...{ date, origin, destination: 'JFK', distance: 400, delay },
})

test('departures are counted for each airport and hour, and what comes when its hour is over is late', () => {
  const tooLate = flight('SFO', '2001-01-01T10:59:00Z', 0)
  const { results, late } = testPipeline(departuresPerAirport, [
    flight('SFO', '2001-01-01T10:05:00Z', 10),
    flight('LAX', '2001-01-01T10:20:00Z', -4),
    flight('SFO', '2001-01-01T11:02:00Z', 0),
    flight('SFO', '2001-01-01T10:58:00Z', 5),
    flight('SFO', '2001-01-01T11:30:00Z', 2),
    tooLate,
  ])
  const ten = { windowStart: '2001-01-01T10:00:00Z', windowEnd: '2001-01-01T11:00:00Z' }
  const eleven = { windowStart: '2001-01-01T11:00:00Z', windowEnd: '2001-01-01T12:00:00Z' }
  expect(results).toEqual([
    { origin: 'SFO', ...ten, flights: 2, distance: 800, meanDelay: 7.5 },
    { origin: 'LAX', ...ten, flights: 1, distance: 400, meanDelay: -4 },
    { origin: 'SFO', ...eleven, flights: 2, distance: 800, meanDelay: 1 },
  ])
  expect(late).toEqual([tooLate])
})
