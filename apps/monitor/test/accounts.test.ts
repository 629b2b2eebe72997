import { deadLetterHeaders } from '@millrace/core/dead-letter'
import { isJsonObject, type JsonObject, type JsonValue } from '@millrace/core/json'
import type { StoredRecord } from '@millrace/kafka/reader'
import { expect, test, vi } from 'vitest'
import { Accounts } from '../src/accounts.ts'

const topic = 'order.placed'
const minute = '2026-01-01T00:00:00Z'
const reader = 'worker/flag'

const record = (offset: number, headers: Record<string, string> = {}): StoredRecord => ({
  ...{ topic, partition: 0, offset: BigInt(offset), timestampMs: Date.parse(minute), key: null, value: null },
  headers: new Map(Object.entries(headers)),
})
const stored = (accounts: Accounts, offsets: readonly number[]) =>
  accounts.stored(
    topic,
    offsets.map((offset) => record(offset)),
  )
const told = (accounts: Accounts, from: number, through: number, events: number) =>
  accounts.account({
    ...{ reader, topic, partition: 0, from, through, beyond: 0 },
    counts: [{ minute, outcome: 'processed', events }],
  })

/** Everything that is written of it now, as whoever goes on from there reads it. */
function written(accounts: Accounts, before: ReadonlyMap<string, JsonObject> = new Map()): Map<string, JsonObject> {
  const all = new Map<string, JsonValue | undefined>([
    ...before,
    ...accounts.takeChanges(accounts.topics.flatMap((one) => accounts.look(one) ?? [])),
  ])
  const copied: unknown = JSON.parse(JSON.stringify([...all].filter(([, value]) => value !== undefined)))
  if (!Array.isArray(copied)) throw new TypeError('not a list')
  return new Map(copied.map(([key, value]: [string, JsonValue]) => [key, isJsonObject(value) ? value : {}]))
}

function begun(read: ReadonlyMap<string, JsonObject> = new Map(), type = topic, id = 'the-id') {
  const onOddity = vi.fn()
  const accounts = new Accounts(read, onOddity)
  accounts.add(topic, type)
  return { accounts, onOddity, isSame: accounts.identify(topic, id) }
}

test('it goes on from what is written, in the totals and in the minutes', () => {
  const { accounts } = begun()
  stored(accounts, [0, 1, 2])
  told(accounts, 0, 2, 2)
  accounts.accountPositions.set(4, 7n)
  const read = written(accounts)
  const { accounts: again, isSame } = begun(read)
  expect(isSame).toBe(true)
  expect(again.accountPositions).toEqual(new Map([[4, 7n]]))
  stored(again, [0, 1, 2, 3])
  told(again, 2, 4, 2)
  expect(again.look(topic)).toMatchObject({
    ...{ type: topic, accepted: 4 },
    readers: { [reader]: { counts: { processed: 4 }, inFlight: 0, unaccounted: 0 } },
  })
  expect(written(again, read).get(`minute ${topic} ${minute}`)).toEqual({
    ...{ type: topic, topic, minute, accepted: 4, readers: { [reader]: { processed: 4 } } },
  })
})

test('what has not changed is not written again', () => {
  const { accounts } = begun()
  stored(accounts, [0])
  const looks = () => accounts.topics.flatMap((one) => accounts.look(one) ?? [])
  expect([...accounts.takeChanges(looks()).keys()]).toEqual([`minute ${topic} ${minute}`, `topic ${topic}`, 'accounts'])
  expect([...accounts.takeChanges(looks()).keys()]).toEqual(['accounts'])
})

test('another topic of the same name is counted from its beginning, whether it was made before or meanwhile', () => {
  const { accounts, onOddity } = begun()
  stored(accounts, [0, 1, 2])
  const read = written(accounts)
  expect(accounts.identify(topic, 'another')).toBe(false)
  const later = begun(read, topic, 'another')
  expect(later.isSame).toBe(false)
  for (const one of [accounts, later.accounts]) {
    stored(one, [0])
    expect(one.look(topic)).toMatchObject({ accepted: 1, readers: {} })
    expect(written(one).get(`minute ${topic} ${minute}`)).toMatchObject({ accepted: 1 })
  }
  expect(onOddity).toHaveBeenCalledOnce()
})

test('so is one that is another type’s now, and one of which is not understood what is written', () => {
  const { accounts } = begun()
  stored(accounts, [0, 1, 2])
  const read = written(accounts)
  const other = begun(read, 'another.type').accounts
  const garbled = begun(new Map([...read, [`topic ${topic}`, { topic, state: 'of a later version' }]]))
  expect(garbled.onOddity).toHaveBeenCalledOnce()
  for (const one of [other, garbled.accounts]) {
    stored(one, [0])
    expect(one.look(topic)?.accepted).toBe(1)
    expect(written(one).get(`minute ${topic} ${minute}`)).toMatchObject({ accepted: 1 })
  }
})

test('a topic that is gone leaves nothing', () => {
  const { accounts } = begun()
  stored(accounts, [0])
  const read = written(accounts)
  accounts.remove(topic)
  expect(accounts.takeChanges([])).toEqual(
    new Map<string, unknown>([
      [`topic ${topic}`, undefined],
      [`minute ${topic} ${minute}`, undefined],
      ['accounts', expect.anything()],
    ]),
  )
  expect(new Accounts(read, vi.fn()).forgotten).toEqual([topic])
})

test('dead letters are counted of those who tell of none', () => {
  const { accounts } = begun()
  const letter = (offset: number, by: string) => record(offset, { [deadLetterHeaders.by]: by, ce_time: minute })
  const connect = record(2, {
    '__connect.errors.topic': topic,
    '__connect.errors.connector.name': 's',
    ce_time: minute,
  })
  accounts.letters(topic, [letter(0, 'gateway'), letter(1, reader), connect])
  expect(accounts.lettersRead(topic)).toEqual(new Map([[0, 3n]]))
  expect(Object.keys(accounts.look(topic)?.readers ?? {})).toEqual(['gateway', 'connect/s'])
})

test('what is unaccounted for longer than an hour is written off, and told', () => {
  vi.useFakeTimers()
  const { accounts, onOddity } = begun()
  stored(accounts, [0, 1, 2])
  told(accounts, 0, 3, 1)
  const look = () => accounts.look(topic)?.readers[reader]
  for (let count = 0; count < 5; count += 1) look()
  expect(look()).toMatchObject({ unaccounted: 2, writtenOff: 0 })
  vi.advanceTimersByTime(3_600_001)
  look()
  expect(look()).toMatchObject({ unaccounted: 0, writtenOff: 2 })
  expect(onOddity).toHaveBeenCalledExactlyOnceWith(expect.any(String), { type: topic, reader, events: 2 })
  vi.useRealTimers()
})
