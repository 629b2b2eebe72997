import { accountAnew, type AccountCount } from '@millrace/core/account'
import { expect, test } from 'vitest'
import { TopicLedger } from '../src/topic-ledger.ts'

const minute = '2026-01-01T00:00:00Z'
const reader = 'worker/flag'
const processed = (events: number): AccountCount => ({ minute, outcome: 'processed', events })

function ledgerWith(...offsets: readonly number[]): TopicLedger {
  const ledger = new TopicLedger(() => undefined)
  for (const offset of offsets) ledger.stored(0, offset, minute)
  return ledger
}

function told(ledger: TopicLedger, from: number, through: number, events: number, beyond = 0): void {
  ledger.account({ ...{ reader, topic: 't', partition: 0, from, through, beyond }, counts: [processed(events)] })
}

const stateOf = (ledger: TopicLedger, name = reader) => ledger.readers().get(name)

test('what a reader is done with and what it is not make up what is stored', () => {
  const ledger = ledgerWith(0, 1, 2, 4, 5)
  told(ledger, 0, 3, 3)
  expect(stateOf(ledger)).toEqual({ counts: { processed: 3 }, inFlight: 2, unaccounted: 0, writtenOff: 0 })
})

test('an event that a reader passes and tells nothing of is unaccounted for, until it does', () => {
  const ledger = ledgerWith(0, 1, 2, 3)
  told(ledger, 0, 4, 3)
  expect(stateOf(ledger)).toMatchObject({ inFlight: 0, unaccounted: 1 })
  told(ledger, 3, 4, 1)
  expect(stateOf(ledger)).toMatchObject({ inFlight: 0, unaccounted: 0 })
})

test('an event that a reader tells of twice shows as less than nothing', () => {
  const ledger = ledgerWith(0, 1)
  told(ledger, 0, 2, 3)
  expect(stateOf(ledger)?.unaccounted).toBe(-1)
})

test('a reader that begins anew has told of nothing, and has everything before it', () => {
  const ledger = ledgerWith(0, 1, 2)
  told(ledger, 0, 3, 2)
  ledger.account(accountAnew(reader, 't'))
  expect(stateOf(ledger)).toEqual({ counts: {}, inFlight: 3, unaccounted: 0, writtenOff: 0 })
  told(ledger, 0, 2, 2)
  expect(stateOf(ledger)).toEqual({ counts: { processed: 2 }, inFlight: 1, unaccounted: 0, writtenOff: 0 })
})

test('events that are done with behind one that is not count', () => {
  const ledger = ledgerWith(0, 1, 2, 3)
  told(ledger, 1, 0, 2, 2)
  expect(stateOf(ledger)).toMatchObject({ inFlight: 2, unaccounted: 0 })
  told(ledger, 0, 4, 2)
  expect(stateOf(ledger)).toMatchObject({ inFlight: 0, unaccounted: 0 })
})

test('a reader that begins in the middle owes nothing for what was before, in whatever order it tells', () => {
  const ledger = ledgerWith(0, 1, 2, 3, 4)
  told(ledger, 4, 5, 1)
  told(ledger, 3, 4, 1)
  expect(stateOf(ledger)).toMatchObject({ inFlight: 0, unaccounted: 0 })
})

test('what a reader tells of before it is read here is settled afterwards', () => {
  const ledger = ledgerWith(0)
  told(ledger, 1, 3, 2)
  expect(stateOf(ledger)?.unaccounted).toBeNull()
  ledger.stored(0, 1, minute)
  ledger.stored(0, 2, minute)
  expect(stateOf(ledger)).toMatchObject({ inFlight: 0, unaccounted: 0 })
})

test('a sink has loaded what its group has passed, except for its dead letters', () => {
  const counted: string[] = []
  const ledger = new TopicLedger((of, events, by) => counted.push(`${of} ${by?.outcome ?? 'accepted'} ${events}`))
  for (const offset of [0, 1, 5]) ledger.stored(0, offset, `m${offset}`)
  ledger.loaded('connect/s', 0, 4)
  ledger.deadLettered('connect/s', 'm1')
  expect(stateOf(ledger, 'connect/s')).toEqual({
    ...{ counts: { loaded: 1, 'dead-lettered': 1 } },
    ...{ inFlight: 1, unaccounted: null, writtenOff: 0 },
  })
  expect(counted.slice(3)).toEqual(['m0 loaded 1', 'm1 loaded 1', 'm1 dead-lettered 1', 'm1 loaded -1'])
})

test('an event that the gateway could not store is dead-lettered, and not accepted', () => {
  const ledger = ledgerWith(0)
  ledger.deadLettered('gateway', minute)
  expect(ledger.accepted).toBe(1)
  expect(stateOf(ledger, 'gateway')).toMatchObject({ counts: { 'dead-lettered': 1 }, inFlight: 0, unaccounted: null })
})

test('it goes on from its state, and counts nothing twice', () => {
  const before = ledgerWith(0, 1, 2, 3)
  told(before, 0, 2, 2)
  before.loaded('connect/s', 0, 1)
  const accepted: string[] = []
  const again = new TopicLedger((of) => accepted.push(of), structuredClone(before.state))
  expect(again.positions).toEqual(new Map([[0, 0n]]))
  expect(stateOf(again)?.unaccounted).toBeNull()
  for (const offset of [0, 1, 2, 3]) again.stored(0, offset, minute)
  again.stored(0, 4, 'new')
  expect(accepted).toEqual(['new'])
  expect(again.accepted).toBe(5)
  expect(stateOf(again)).toMatchObject({ counts: { processed: 2 }, inFlight: 3, unaccounted: 0 })
  expect(stateOf(again, 'connect/s')).toMatchObject({ counts: { loaded: 1 }, inFlight: 4 })
})

test('what no reader needs is let go of, and a reader that is forgotten needs nothing', () => {
  const ledger = ledgerWith(0, 1, 2, 3)
  told(ledger, 0, 3, 3)
  ledger.loaded('connect/s', 0, 1)
  ledger.release()
  ledger.release()
  expect(ledger.state.partitions[0]).toEqual({ origin: 0, start: 1, next: 4, count: 4 })
  ledger.forget((name) => name === 'connect/s')
  ledger.release()
  ledger.release()
  expect(ledger.state.partitions[0]?.start).toBe(3)
  expect(stateOf(ledger)).toMatchObject({ inFlight: 1, unaccounted: 0 })
})

test('a reader that begins at the beginning of a topic with a history is held against all of it', () => {
  const ledger = ledgerWith(...Array(1_000).keys())
  for (let time = 0; time < 2; time += 1) {
    ledger.loaded('connect/s', 0, 1_000)
    ledger.release()
  }
  told(ledger, 0, 500, 500)
  expect(stateOf(ledger)).toMatchObject({ inFlight: null, unaccounted: null })
  told(ledger, 500, 1_000, 495)
  expect(stateOf(ledger)).toMatchObject({ inFlight: 0, unaccounted: 5 })
})

test('one that begins where nothing is known any more is held against what comes from then on', () => {
  const ledger = ledgerWith(...Array(1_000).keys())
  for (let time = 0; time < 2; time += 1) {
    ledger.loaded('connect/s', 0, 1_000)
    ledger.release()
  }
  told(ledger, 400, 1_000, 590)
  expect(stateOf(ledger)).toMatchObject({ inFlight: 0, unaccounted: 0 })
  ledger.stored(0, 1_000, minute)
  ledger.stored(0, 1_001, minute)
  told(ledger, 1_000, 1_002, 1)
  expect(stateOf(ledger)).toMatchObject({ inFlight: 0, unaccounted: 1 })
})

test('records that were gone before they were counted make no difference, and those that come after them do', () => {
  const ledger = ledgerWith(0, 1)
  told(ledger, 0, 2, 2)
  expect(stateOf(ledger)).toMatchObject({ unaccounted: 0 })
  // 2 to 9 were gone here, and not there.
  told(ledger, 2, 12, 10)
  ledger.lost(0)
  ledger.stored(0, 10, minute)
  ledger.stored(0, 11, minute)
  ledger.stored(0, 12, minute)
  expect(stateOf(ledger)).toMatchObject({ inFlight: 1, unaccounted: 0 })
  told(ledger, 12, 13, 0)
  expect(stateOf(ledger)).toMatchObject({ unaccounted: 1 })
})

test('what is written off is told as that, and what is missing then is missing', () => {
  const ledger = ledgerWith(0, 1, 2, 3)
  told(ledger, 0, 3, 1)
  expect(stateOf(ledger)).toMatchObject({ unaccounted: 2, writtenOff: 0 })
  ledger.writeOff(reader)
  expect(stateOf(ledger)).toMatchObject({ unaccounted: 0, writtenOff: 2 })
  told(ledger, 3, 4, 0)
  const again = new TopicLedger(() => undefined, structuredClone(ledger.state))
  for (const offset of [0, 1, 2, 3]) again.stored(0, offset, minute)
  expect(stateOf(again)).toMatchObject({ unaccounted: 1, writtenOff: 2 })
})
