import { expect, test } from 'vitest'
import { LedgerMinutes, minutesMax } from '../src/ledger-minutes.ts'

const minute = (number: number) => new Date(number * 60_000).toISOString()
const of = (number: number, topic = 't') => ({ type: 't', topic, minute: minute(number) })
const processed = { reader: 'worker/w', outcome: 'processed' } as const

test('a minute tells what is stored and what became of it, once it has changed', () => {
  const minutes = new LedgerMinutes()
  minutes.count(of(0), 2)
  minutes.count(of(0), 1, processed)
  const row = { ...of(0), accepted: 2, readers: { 'worker/w': { processed: 1 } } }
  expect([...minutes.takeChanged()]).toEqual([[`minute t ${minute(0)}`, row]])
  expect(minutes.takeChanged().size).toBe(0)
  const again = new LedgerMinutes()
  again.restore(`minute t ${minute(0)}`, row)
  again.count(of(0), 3, processed)
  expect([...again.takeChanged().values()]).toEqual([{ ...row, readers: { 'worker/w': { processed: 4 } } }])
})

test('those that have not changed for longest make room, and are taken away where they were written', () => {
  const minutes = new LedgerMinutes()
  minutes.count(of(-1), 1)
  minutes.count(of(-2), 1)
  minutes.takeChanged()
  minutes.count(of(-1), 1)
  for (let number = 0; number < minutesMax - 1; number += 1) minutes.count(of(number), 1)
  const changed = minutes.takeChanged()
  const gone = [...changed].filter(([, row]) => row === undefined).map(([key]) => key)
  expect(gone.toSorted()).toEqual([`minute t ${minute(-2)}`, `minute t ${minute(-1)}`])
  expect(changed.has(`minute t ${minute(0)}`)).toBe(false)
  expect(changed.has(`minute t ${minute(minutesMax - 2)}`)).toBe(true)
  expect(changed.size).toBeLessThanOrEqual(minutesMax)
})

test('what a reader counted of a topic goes when it begins anew, and nothing else', () => {
  const minutes = new LedgerMinutes()
  minutes.count(of(0), 1)
  minutes.count(of(0), 1, processed)
  minutes.count(of(0), 1, { ...processed, reader: 'worker/other' })
  minutes.count(of(1), 1)
  minutes.count(of(0, 'other'), 1, processed)
  minutes.takeChanged()
  minutes.forgetReader('t', 'worker/w')
  expect([...minutes.takeChanged().values()]).toEqual([
    { ...of(0), accepted: 1, readers: { 'worker/other': { processed: 1 } } },
  ])
})

test('those of a topic that is gone go', () => {
  const minutes = new LedgerMinutes()
  minutes.count(of(0), 1)
  minutes.count(of(0, 'other'), 1)
  minutes.takeChanged()
  minutes.forget('t')
  expect([...minutes.takeChanged()]).toEqual([[`minute t ${minute(0)}`, undefined]])
})
