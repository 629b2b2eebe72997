import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ledgerColumns, openLedger } from '../src/ledger.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const newFile = (): string => join(temporaryDirectory(), 'ledger')

function note(file: string, request: string): void {
  const ledger = openLedger(file)
  ledger.sending(request, 2, ['1', '2'])
  ledger.settled(request, [
    { status: 'accepted', id: '1', partition: 2, offset: 7, sha256: 'ab' },
    { status: 'unconfirmed', id: '2', detail: 'no\tanswer\r\nat all' },
  ])
  ledger.close()
}

/** The columns of each line, without the time. */
function linesOf(file: string): string[][] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => line.split('\t').toSpliced(2, 1))
}

function noted(request: string): string[][] {
  return [
    ['sending', request, '', '2', '', '', '1 2'],
    ['accepted', request, '1', '2', '7', 'ab', ''],
    ['unconfirmed', request, '2', '', '', '', 'no answer at all'],
  ]
}

test('a request is a line, and each event of its answer is one', () => {
  const file = newFile()
  note(file, 'r1')
  expect(linesOf(file)).toEqual(noted('r1'))
  expect(readFileSync(file, 'utf8').split('\n')[0]?.split('\t')).toHaveLength(ledgerColumns.length)
})

test('it is written when the function returns, without being closed', () => {
  const file = newFile()
  const ledger = openLedger(file)
  ledger.sending('r1', 0, ['1'])
  expect(linesOf(file)).toHaveLength(1)
  ledger.settled('r1', [])
  expect(linesOf(file)).toHaveLength(1)
  ledger.close()
})

test('a further run appends', () => {
  const file = newFile()
  note(file, 'r1')
  note(file, 'r2')
  expect(linesOf(file)).toEqual([...noted('r1'), ...noted('r2')])
})

test('a last line that a crash left torn is cut off', () => {
  const file = newFile()
  note(file, 'r1')
  appendFileSync(file, 'accepted\tr2\t17')
  note(file, 'r3')
  expect(linesOf(file)).toEqual([...noted('r1'), ...noted('r3')])
})

test.each([
  ['longer than what is read at a time', `whole\n${'x'.repeat(200_000)}`, 'whole\n'],
  ['the only one', 'x'.repeat(100), ''],
  ['not there', 'whole\n', 'whole\n'],
  ['behind a line break at the edge of what is read at a time', `whole\n${'x'.repeat(64 * 1024)}`, 'whole\n'],
])('a torn line may be %s', (_, content, kept) => {
  const file = newFile()
  writeFileSync(file, content)
  openLedger(file).close()
  expect(readFileSync(file, 'utf8')).toBe(kept)
})

test('only its owner may read it', () => {
  const file = newFile()
  openLedger(file).close()
  expect(statSync(file).mode & 0o777).toBe(0o600)
})
