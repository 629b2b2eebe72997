import { hash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCheck } from '@millrace/ledger/check'
import { openDatabase } from '@millrace/ledger/database'
import { expect, onTestFinished, test } from 'vitest'
import { poisonOf } from '../src/poison.ts'
import { lettersIn, poisonChecks } from '../src/poison-checks.ts'

type Letter = { partition: number; offset: number; reason: string; value: string }
type Effect = { partition: number; offset: number; atMs: number }

/** When the last event came. */
const lastMs = 30_000
const reasons = { undecodable: 'malformed', throws: 'retries-exhausted', 'too-long': 'timeout' }
const keys = ['3-1', 'undecodable-0', 'throws-0', 'too-long-1']

/** The events in their topic: four of each key, each with its id for its bytes. */
const stored = keys.flatMap((key, partition) =>
  [0, 1, 2, 3].map((round) => ({ partition, offset: round, id: `${key}-${round}`, poison: poisonOf(key, round) })),
)

function honest(): { letters: Letter[]; effects: Effect[] } {
  const letters = stored.flatMap(({ poison, partition, offset, id }) =>
    poison ? [{ partition, offset, reason: reasons[poison], value: id }] : [],
  )
  const good = stored.filter(({ poison }) => !poison)
  const effects = good.map(({ partition, offset }) => ({ partition, offset, atMs: 1_000 * offset }))
  return { letters, effects }
}

async function failing({ letters, effects }: { letters: readonly Letter[]; effects: readonly Effect[] }) {
  const directory = mkdtempSync(join(tmpdir(), 'letters-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'letters')
  const lines = letters.map(({ partition, offset, reason, value }, index) => {
    const origin = `millrace_origin_partition:${partition}\\,millrace_origin_offset:${offset}`
    const headers = `ce_id:x\\,millrace_dlq_reason:${reason}\\,${origin}`
    return ['CreateTime:1000', 'Partition:0', `Offset:${index}`, headers, 'key', value].join('\t')
  })
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
  const database = await openDatabase()
  onTestFinished(() => database.close())
  const rows = stored.map(({ partition, offset, id }) => {
    return `(${partition}, ${offset}, '${id}', '${hash('sha256', id)}', ${(lastMs / 3) * offset})`
  })
  await database.run(
    'CREATE TABLE topic (partition INTEGER, "offset" BIGINT, id VARCHAR, sha256 VARCHAR, timestamp_ms BIGINT)',
  )
  await database.run(`INSERT INTO topic VALUES ${rows.join()}`)
  await database.run('CREATE TABLE effects (partition INTEGER, "offset" BIGINT, timestamp_ms BIGINT)')
  for (const { partition, offset, atMs } of effects) {
    await database.run(`INSERT INTO effects VALUES (${partition}, ${offset}, ${atMs})`)
  }
  await database.run(`CREATE VIEW letters AS ${lettersIn(file)}`)
  const failed: string[] = []
  for (const check of poisonChecks) if (!(await runCheck(database, check)).ok) failed.push(check.name)
  return failed
}

test('poison that is a dead letter once each, while all else goes on, is found well', async () => {
  expect(await failing(honest())).toEqual([])
})

test('what waited behind poison comes last, when there is nothing else to do', async () => {
  const { letters, effects } = honest()
  effects.push({ partition: 0, offset: 8, atMs: lastMs - 5_000 }, { partition: 0, offset: 9, atMs: lastMs + 12_000 })
  effects.push({ partition: 0, offset: 5, atMs: 10_000 }, { partition: 0, offset: 6, atMs: 18_000 })
  expect(await failing({ letters, effects })).toEqual([])
})

const once = 'poison-is-dead-lettered-once'

test.each<[string, (all: ReturnType<typeof honest>) => void, string]>([
  ['poison that is no dead letter', ({ letters }) => letters.splice(2, 1), once],
  ['poison that is a dead letter twice', ({ letters }) => letters.push(...letters.slice(0, 1)), once],
  [
    'a good event that is a dead letter',
    ({ letters }) => letters.push({ partition: 0, offset: 0, reason: 'timeout', value: '3-1-0' }),
    once,
  ],
  ['another reason', (all) => (all.letters = all.letters.map((one) => ({ ...one, reason: 'rejected' }))), once],
  ['other bytes', (all) => (all.letters = all.letters.map((one) => ({ ...one, value: 'other' }))), once],
  [
    'a partition that stood still',
    ({ effects }) => effects.push({ partition: 1, offset: 9, atMs: 60_000 }),
    'no-partition-stands-still',
  ],
])('%s is found', async (_what, plant, found) => {
  const all = honest()
  plant(all)
  expect(await failing(all)).toContain(found)
})
