import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDatabase } from '../src/database.ts'
import { openLedger } from '../src/ledger.ts'
import { sendingsIn } from '../src/ledger-lines.ts'
import { temporaryDirectory } from './temporary-directory.ts'

test('what was sent is a row for each event, in order, with its digest where that was noted', async () => {
  const file = join(temporaryDirectory(), 'ledger')
  const ledger = openLedger(file, () => 7)
  ledger.sending('r1', 0, ['b', 'a'], ['bb', 'aa'])
  ledger.settled('r1', [{ status: 'unsent', id: 'b', detail: '' }])
  ledger.sending('r2', 1, ['a', 'c'])
  ledger.close()
  const database = await openDatabase()
  expect(await database.rows(`SELECT * FROM ${sendingsIn(file)} ORDER BY position`)).toEqual([
    { position: '1', request: 'r1', at_ms: '7', id: 'b', sha256: 'bb' },
    { position: '2', request: 'r1', at_ms: '7', id: 'a', sha256: 'aa' },
    { position: '3', request: 'r2', at_ms: '7', id: 'a', sha256: null },
    { position: '4', request: 'r2', at_ms: '7', id: 'c', sha256: null },
  ])
  database.close()
})

test('requests of a thousand events are read in the memory that the database has', async () => {
  const file = join(temporaryDirectory(), 'ledger')
  const ledger = openLedger(file)
  const digests = Array.from({ length: 1_000 }, () => 'd'.repeat(64))
  for (let request = 0; request < 50; request += 1) {
    const ids = digests.map((_, index) => `${request}-${index}`)
    ledger.sending(`r${request}`, 0, ids, digests)
  }
  ledger.close()
  const database = await openDatabase()
  expect(await database.number(`SELECT count(DISTINCT id) FROM (${sendingsIn(file)} ORDER BY position)`)).toBe(50_000)
  database.close()
})
