import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyOfId } from '@millrace/drills/keyed-load'
import { openLedger } from '@millrace/ledger/ledger'
import { expect, onTestFinished, test } from 'vitest'
import { judgeClient } from '../../src/clients/verdict.ts'

type Sent = { readonly id: string; readonly answer: { partition: number; offset: number } | 'failed' | 'none' }
type Stored = { readonly id: string; readonly partition: number; readonly offset: number }

const source = '/test'
const honest: readonly Sent[] = [
  { id: 'a-0', answer: { partition: 0, offset: 0 } },
  { id: 'a-1', answer: { partition: 0, offset: 1 } },
  { id: 'b-0', answer: { partition: 1, offset: 0 } },
]
const stored: readonly Stored[] = [
  { id: 'a-0', partition: 0, offset: 0 },
  { id: 'a-1', partition: 0, offset: 1 },
  { id: 'b-0', partition: 1, offset: 0 },
]
const clean = { unconfirmed: 0, unanswered: 0, lost: 0, copies: 0, misplaced: 0, disordered: 0, others: [] }

async function verdictOn(sent: readonly Sent[], topic: readonly Stored[]) {
  const directory = mkdtempSync(join(tmpdir(), 'clients-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const [ledgerFile, topicFile] = [join(directory, 'ledger'), join(directory, 'topic')]
  let ms = 0
  const ledger = openLedger(ledgerFile, () => ms++)
  for (const [index, { id, answer }] of sent.entries()) {
    const sha256 = hash('sha256', id)
    ledger.sending(String(index), 0, [id], [sha256])
    if (answer === 'failed') ledger.settled(String(index), [{ status: 'unconfirmed', id, detail: 'failed' }])
    else if (answer !== 'none') ledger.settled(String(index), [{ status: 'accepted', id, sha256, ...answer }])
  }
  ledger.close()
  const lines = topic.map(({ id, partition, offset }) => {
    const headers = `ce_id:${id}\\,ce_source:${source}`
    return ['CreateTime:1', `Partition:${partition}`, `Offset:${offset}`, headers, id.slice(0, -2), id].join('\t')
  })
  writeFileSync(topicFile, lines.map((line) => `${line}\n`).join(''))
  return judgeClient(join(directory, 'verdict.duckdb'), { ledgerFile, topicFile, source, keyOfId })
}

test('a client that says what it did is clean', async () => {
  expect(await verdictOn(honest, stored)).toEqual({ ...clean, acknowledged: 3 })
})

test('what failed may be stored once', async () => {
  const sent: readonly Sent[] = [...honest, { id: 'b-1', answer: 'failed' }]
  expect(await verdictOn(sent, stored)).toEqual({ ...clean, acknowledged: 3, unconfirmed: 1 })
  const topic = [...stored, { id: 'b-1', partition: 1, offset: 1 }]
  expect(await verdictOn(sent, topic)).toEqual({ ...clean, acknowledged: 3, unconfirmed: 1 })
})

test('each kind of wrong is counted as itself', async () => {
  const copy = { id: 'b-0', partition: 1, offset: 1 }
  expect(await verdictOn(honest, [...stored, copy])).toEqual({ ...clean, acknowledged: 3, copies: 1 })
  expect(await verdictOn(honest, stored.slice(0, 2))).toEqual({ ...clean, acknowledged: 3, lost: 1 })
  const silent: readonly Sent[] = [...honest, { id: 'b-1', answer: 'none' }]
  expect(await verdictOn(silent, stored)).toEqual({ ...clean, acknowledged: 3, unanswered: 1 })
  const untold: readonly Sent[] = [...honest.slice(0, 2), { id: 'b-0', answer: { partition: 1, offset: -1 } }]
  expect(await verdictOn(untold, stored)).toEqual({ ...clean, acknowledged: 3, misplaced: 1 })
  const swapped: readonly Sent[] = [
    { id: 'a-0', answer: { partition: 0, offset: 1 } },
    { id: 'a-1', answer: { partition: 0, offset: 0 } },
  ]
  const order = [
    { id: 'a-1', partition: 0, offset: 0 },
    { id: 'a-0', partition: 0, offset: 1 },
  ]
  expect(await verdictOn(swapped, order)).toEqual({ ...clean, acknowledged: 2, disordered: 1 })
})

test('a copy of what failed is a copy', async () => {
  const sent: readonly Sent[] = [{ id: 'b-0', answer: 'failed' }]
  const twice = [0, 1].map((offset) => ({ id: 'b-0', partition: 1, offset }))
  expect(await verdictOn(sent, twice)).toEqual({ ...clean, acknowledged: 0, unconfirmed: 1, copies: 1 })
})
