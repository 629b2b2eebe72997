import { accountsTopic, parseAccount } from '@millrace/core/account'
import type { StoredRecord } from '@millrace/kafka/reader'
import { expect, test } from 'vitest'
import { accountRecords } from '../src/account-records.ts'
import type { Done } from '../src/attempts.ts'

const result = (offset: number, kind: Done, time: string) => {
  const record: StoredRecord = {
    ...{ topic: 'orders', partition: 2, offset: BigInt(offset), timestampMs: 0, key: null, value: null },
    ...{ headers: new Map([['ce_time', time]]) },
  }
  return { task: { record }, kind }
}

test('what is done with a partition is told by outcome and minute, with what is committed of it', () => {
  const committed = { offset: 7n, beyond: 1, metadata: '' }
  const results = [
    result(9, 'ok', '2026-01-01T00:00:01Z'),
    result(5, 'ok', '2026-01-01T00:00:59Z'),
    result(6, 'ok', '2026-01-01T00:01:00Z'),
    result(4, 'drop', '2026-01-01T00:00:00Z'),
    result(3, 'dead-letter', '2026-01-01T00:00:00Z'),
    result(2, 'not-addressed', '2026-01-01T00:00:00Z'),
  ]
  const [record, ...others] = accountRecords('worker/flag', 'orders', [{ partition: 2, committed, results }])
  expect(others).toEqual([])
  expect(record).toMatchObject({ topic: accountsTopic, key: Buffer.from('worker/flag') })
  expect(parseAccount(JSON.parse(String(record?.value)))).toEqual({
    ...{ reader: 'worker/flag', topic: 'orders', partition: 2, from: 2, through: 7, beyond: 1 },
    counts: [
      { minute: '2026-01-01T00:00:00Z', outcome: 'processed', events: 2 },
      { minute: '2026-01-01T00:01:00Z', outcome: 'processed', events: 1 },
      { minute: '2026-01-01T00:00:00Z', outcome: 'filtered', events: 1 },
      { minute: '2026-01-01T00:00:00Z', outcome: 'dead-lettered', events: 1 },
      { minute: '2026-01-01T00:00:00Z', outcome: 'not-addressed', events: 1 },
    ],
  })
})
