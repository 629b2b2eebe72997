import { partitionForKey } from '@millrace/core/partitioner'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareReports, type Flight, type ReportPosition } from '../src/flight.ts'
import { laneChooser, resumePosition, type Tick, ticksOf } from '../src/ticks.ts'
import { flight } from './fake-gateway.ts'

const tickMs = 10
const airports = ['SFO', 'LAX', 'ATL', 'JFK', 'ORD', 'DEN']

async function ticks(slices: readonly (readonly Flight[])[], positions: readonly (ReportPosition | undefined)[]) {
  const generated = (async function* () {
    for (const slice of slices) yield await Promise.resolve(slice)
  })()
  const read: Tick[] = []
  for await (const tick of ticksOf(generated, { tickMs, positions })) read.push(tick)
  return read
}

test('a flight has the lane of the partition that Kafka gives its airport', () => {
  const laneOf = laneChooser(6)
  for (const origin of [...airports, ...airports]) {
    expect(laneOf(flight(0, { origin }))).toBe(partitionForKey(Buffer.from(origin), 6))
  }
})

const flights = fc
  .array(fc.record({ reportedMs: fc.nat(100), origin: fc.constantFrom(...airports) }), { maxLength: 80 })
  .map((reports) => reports.map((report, row) => flight(row, report)).sort(compareReports))
const lanes = 3
const position = fc.option(fc.record({ reportedMs: fc.nat(100), row: fc.nat(80) }), { nil: undefined })

test('ticks have every flight that its lane has not sent, in report order, and no other', async () => {
  const positions = fc.array(position, { minLength: lanes, maxLength: lanes })
  await fc.assert(
    fc.asyncProperty(flights, fc.nat(80), positions, async (all, cut, sent) => {
      const read = await ticks([all.slice(0, cut), all.slice(cut)], sent)
      const laneOf = laneChooser(lanes)
      for (let lane = 0; lane < lanes; lane++) {
        const after = sent[lane]
        expect(read.flatMap((tick) => tick.lanes[lane] ?? [])).toEqual(
          all.filter((one) => laneOf(one) === lane && (!after || compareReports(one, after) > 0)),
        )
      }
    }),
  )
})

test('a tick has the flights of its span, and is not empty', async () => {
  await fc.assert(
    fc.asyncProperty(flights, fc.nat(80), async (all, cut) => {
      const read = await ticks([all.slice(0, cut), all.slice(cut)], [undefined, undefined, undefined])
      const starts = read.map(({ startMs }) => startMs)
      expect(starts).toEqual([...new Set(all.map(({ reportedMs }) => Math.floor(reportedMs / tickMs) * tickMs))])
      for (const { startMs, lanes: inLanes, flights: count } of read) {
        const within = inLanes.flat()
        expect(within).toHaveLength(count)
        expect(within.every(({ reportedMs }) => reportedMs >= startMs && reportedMs < startMs + tickMs)).toBe(true)
      }
    }),
  )
})

test('a replay goes on behind the lane that is furthest back', () => {
  const early = { reportedMs: 1, row: 9 }
  const tie = { reportedMs: 1, row: 10 }
  const later = { reportedMs: 2, row: 0 }
  expect(resumePosition([later, tie, early])).toEqual(early)
  expect(resumePosition([later, undefined, early])).toBeUndefined()
  expect(resumePosition([])).toBeUndefined()
})
