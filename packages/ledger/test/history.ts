/** What a gateway may honestly do with events, made up from a seed: the ledger of who sent them, and the topic. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '@millrace/core/random'
import { openDatabase } from '../src/database.ts'
import { type DeliveryVerdict, judgeDelivery } from '../src/delivery.ts'
import { type LedgerOutcome, openLedger } from '../src/ledger.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const source = '/drill'
const events = 240
const keys = 12
const partitions = 6
const recognisedAfterMs = 1_000
const answerMs = 5

/** `sentMs` and `answeredMs` are counted from the beginning, in ms. */
export type Attempt = {
  readonly request: string
  id: string
  data: string
  readonly sentMs: number
  readonly answeredMs: number
  outcome: LedgerOutcome | undefined
}
export type Stored = {
  partition: number
  offset: number
  source: string | undefined
  id: string
  key: string | undefined
  data: string
  timestampMs: number
}
export type History = { readonly attempts: Attempt[]; readonly topic: Stored[] }

export function sha256(data: string): string {
  return createHash('sha256').update(data).digest('hex')
}

/** A gateway that loses answers, is asked again, recognises some retries and writes others twice, as it may; and refuses some. */
export function honestHistory(seed: number): History {
  const random = seededRandom(seed)
  const attempts: Attempt[] = []
  const topic: Stored[] = []
  let nowMs = 0
  const store = (id: string, key: string, data: string, timestampMs = nowMs): Stored => {
    const partition = Number(key.slice(1)) % partitions
    const offset = topic.filter((record) => record.partition === partition).length
    const record = { partition, offset, source, id, key, data, timestampMs }
    topic.push(record)
    return record
  }
  for (let number = 0; number < events; number += 1) {
    const key = `k${Math.floor(random() * keys)}`
    const id = `${key}-${number}`
    const data = `{"n":${number},"key":"${key}"}`
    const attempt = (outcome: LedgerOutcome | undefined) => {
      attempts.push({ request: `r${attempts.length}`, id, data, sentMs: nowMs, answeredMs: nowMs + answerMs, outcome })
      nowMs += 2 * answerMs
    }
    const told = (status: 'accepted' | 'duplicate', { partition, offset }: Stored) =>
      attempt({ status, id, partition, offset, sha256: sha256(data) })
    const course = random()
    if (course < 0.05) attempt({ status: 'rejected', id, detail: '422' })
    else if (course < 0.1) {
      if (random() < 0.5) store(id, key, data)
      attempt({ status: 'unconfirmed', id, detail: '503' })
    } else if (course < 0.15) {
      attempt({ status: 'unsent', id, detail: 'connect ECONNREFUSED' })
      if (random() < 0.7) told('accepted', store(id, key, data))
    } else if (course < 0.3) {
      const first = random() < 0.5 ? store(id, key, data) : undefined
      attempt({ status: 'unconfirmed', id, detail: '503' })
      // Another instance recognises it, or does not know of it yet.
      if (first && random() < 0.5) told('duplicate', first)
      else told('accepted', store(id, key, data))
    } else if (course < 0.4) {
      // Two instances write it at once, the one that had it first a little later; for a moment each knows of its own alone.
      const own = store(id, key, data)
      const first = store(id, key, data, nowMs - 1)
      told('accepted', own)
      told('accepted', first)
      told('duplicate', own)
      nowMs += 2 * recognisedAfterMs
      told('duplicate', first)
    } else {
      const first = store(id, key, data)
      told('accepted', first)
      if (random() < 0.5) nowMs += 2 * recognisedAfterMs
      if (random() < 0.1) told('duplicate', first)
    }
  }
  return { attempts, topic }
}

/** The verdict on a history, by way of the files that a drill leaves. */
export async function verdictOn({ attempts, topic }: History): Promise<DeliveryVerdict> {
  const directory = temporaryDirectory()
  const ledgerFile = join(directory, 'ledger')
  let nowMs = 0
  const ledger = openLedger(ledgerFile, () => nowMs)
  for (const { request, id, data, sentMs, answeredMs, outcome } of attempts) {
    nowMs = sentMs
    ledger.sending(request, 0, [id], [sha256(data)])
    nowMs = answeredMs
    if (outcome) ledger.settled(request, [outcome])
  }
  ledger.close()
  const topicFile = join(directory, 'topic')
  const lines = topic.map((record) => {
    const headers = [...(record.source === undefined ? [] : [`ce_source:${record.source}`]), `ce_id:${record.id}`]
    const place = [`CreateTime:${record.timestampMs}`, `Partition:${record.partition}`, `Offset:${record.offset}`]
    return [...place, headers.join('\\,'), record.key ?? '\\x5CN', record.data].join('\t')
  })
  writeFileSync(topicFile, lines.map((line) => `${line}\n`).join(''))
  const database = await openDatabase()
  try {
    const keyOfId = `regexp_replace(id, '-\\d+$', '')`
    return await judgeDelivery(database, { ledgerFile, topicFile, source, keyOfId, recognisedAfterMs })
  } finally {
    database.close()
  }
}
