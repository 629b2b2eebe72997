import type { JsonObject } from '@millrace/core/json'
import { testPipeline } from '@millrace/core/test-pipeline'
import { expect, test } from 'vitest'
import {
  delayPerAirport,
  departuresPerAirport,
  departuresPerState,
  departureWaves,
  flightsPerDestination,
} from '../src/pipelines.ts'

let flights = 0
const flight = (origin: string, time: string, changed: JsonObject = {}) => ({
  flight: (flights += 1),
  ...{ date: `2001-01-01T${time}:00Z`, origin, destination: 'JFK', distance: 400, delay: 0 },
  ...changed,
})
const window = (start: string, end: string) => ({
  windowStart: `2001-01-01T${start}:00Z`,
  windowEnd: `2001-01-01T${end}:00Z`,
})

test('departures are counted for each airport and hour, and what comes when its hour is over is late', () => {
  const tooLate = flight('SFO', '10:59')
  const { results, late } = testPipeline(departuresPerAirport, [
    flight('SFO', '10:05', { delay: 10 }),
    flight('LAX', '10:20', { delay: -4 }),
    flight('SFO', '11:02'),
    flight('SFO', '10:58', { delay: 5 }),
    flight('SFO', '11:30', { delay: 2 }),
    tooLate,
  ])
  expect(results).toEqual([
    { origin: 'SFO', ...window('10:00', '11:00'), flights: 2, distance: 800, meanDelay: 7.5 },
    { origin: 'LAX', ...window('10:00', '11:00'), flights: 1, distance: 400, meanDelay: -4 },
    { origin: 'SFO', ...window('11:00', '12:00'), flights: 2, distance: 800, meanDelay: 1 },
  ])
  expect(late).toEqual([tooLate])
})

test('what comes to an airport is told every half hour, of the hour before; who missed one of them is in the other', () => {
  const tooLate = flight('SFO', '09:59')
  const { results, late } = testPipeline(flightsPerDestination, [
    flight('SFO', '10:10', { distance: 2_586 }),
    flight('BOS', '10:40', { distance: 187 }),
    flight('SFO', '11:06', { distance: 2_586 }),
    flight('ORD', '10:50', { distance: 740 }),
    tooLate,
  ])
  expect(results).toEqual([
    { destination: 'JFK', ...window('09:30', '10:30'), flights: 1, origins: 1, longest: 2_586 },
    { destination: 'JFK', ...window('10:00', '11:00'), flights: 2, origins: 2, longest: 2_586 },
    { destination: 'JFK', ...window('10:30', '11:30'), flights: 3, origins: 3, longest: 2_586 },
    { destination: 'JFK', ...window('11:00', '12:00'), flights: 1, origins: 1, longest: 2_586 },
  ])
  expect(late).toEqual([tooLate])
})

test('a wave of departures goes on for as long as none is missing for half an hour', () => {
  const tooLate = flight('SFO', '10:20')
  const { results, late } = testPipeline(departureWaves, [
    flight('SFO', '10:00'),
    flight('LAX', '10:10'),
    flight('SFO', '10:25', { distance: 100 }),
    flight('SFO', '10:55', { distance: 100 }),
    flight('SFO', '11:26'),
    tooLate,
  ])
  expect(results).toEqual([
    { origin: 'LAX', ...window('10:10', '10:40'), flights: 1, distance: 400 },
    { origin: 'SFO', ...window('10:00', '11:25'), flights: 3, distance: 600 },
    { origin: 'SFO', ...window('11:26', '11:56'), flights: 1, distance: 400 },
  ])
  expect(late).toEqual([tooLate])
})

test('a delay that is reported late revises that of its hour, for two hours', () => {
  const tooLate = flight('SFO', '10:45', { delay: 200 })
  const { results, late } = testPipeline(delayPerAirport, [
    flight('SFO', '10:05', { delay: 2 }),
    flight('LAX', '11:10'),
    flight('SFO', '10:30', { delay: 40 }),
    flight('LAX', '13:10'),
    tooLate,
  ])
  const ten = { origin: 'SFO', ...window('10:00', '11:00') }
  expect(results.filter(({ origin }) => origin === 'SFO')).toEqual([
    { ...ten, flights: 1, meanDelay: 2, worstDelay: 2 },
    { ...ten, flights: 2, meanDelay: 21, worstDelay: 40 },
  ])
  expect(late).toEqual([tooLate])
})

test('departures are counted for the states that airports are in, and together for those of which that is not known', () => {
  const airport = (iata: string, changed: JsonObject = {}) => {
    return { iata, name: iata, country: 'USA', latitude: 0, longitude: 0, ...changed }
  }
  const { results } = testPipeline(
    departuresPerState,
    [flight('SFO', '10:05'), flight('LAX', '10:20'), flight('MQT', '10:25'), flight('XXX', '10:30')],
    {
      tables: {
        'airport.described': [airport('SFO', { state: 'CA' }), airport('LAX', { state: 'CA' }), airport('MQT')],
      },
    },
  )
  expect(results).toEqual([
    { state: 'CA', ...window('10:00', '11:00'), flights: 2, distance: 800 },
    { ...window('10:00', '11:00'), flights: 2, distance: 800 },
  ])
})
