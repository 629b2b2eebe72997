import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCheck } from '@millrace/ledger/check'
import { openDatabase } from '@millrace/ledger/database'
import { expect, onTestFinished, test } from 'vitest'
import { effectChecks, effectsIn, workersRunOn } from '../src/effect-checks.ts'

type Effect = { partition: number; offset: number; identity: string; key: string; round: number; value?: string }

const keys = ['a', 'b', 'c']
const rounds = [0, 1, 2, 3]
/** Stored twice, as a retry that nobody recognised. */
const copied = 'b-2'

/** The events in their topic, by partition: a key's partition is its place. */
function records() {
  return keys.flatMap((key, partition) => {
    const ids = rounds.map((round) => `${key}-${round}`)
    const all = ids.includes(copied) ? [...ids, copied] : ids
    return all.map((id, offset) => ({ partition, offset, id }))
  })
}

/** What workers may honestly make of them. */
function honest(): Effect[] {
  return keys.flatMap((key, partition) => {
    const all = key === 'b' ? [...rounds, 2] : rounds
    return all.map((round, offset) => ({ partition, offset, identity: `of-${key}-${round}`, key, round }))
  })
}

async function failing(effects: readonly Effect[]): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'effects-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'effects')
  const lines = effects.map(({ partition, offset, identity, key, round, value = JSON.stringify({ key, round }) }) => {
    const place = [`CreateTime:1000`, `Partition:${partition}`, `Offset:${offset}`]
    return [...place, `ce_id:${identity}\\,ce_type:x`, key, value].join('\t')
  })
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
  const database = await openDatabase()
  onTestFinished(() => database.close())
  const rows = records().map(({ partition, offset, id }) => `(${partition}, ${offset}, '${id}')`)
  await database.run('CREATE TABLE topic (partition INTEGER, "offset" BIGINT, id VARCHAR)')
  await database.run(`INSERT INTO topic VALUES ${rows.join()}`)
  await database.run(`CREATE VIEW effects AS ${effectsIn(file)}`)
  const failed: string[] = []
  for (const check of effectChecks) if (!(await runCheck(database, check)).ok) failed.push(check.name)
  return failed
}

test('effects that are there once for each record are found well', async () => {
  expect(await failing(honest())).toEqual([])
})

test.each<[string, (effects: Effect[]) => Effect[], string]>([
  ['one that is not there', (all) => all.slice(1), 'every-event-has-its-effect-once'],
  ['none at all', () => [], 'every-event-has-its-effect-once'],
  [
    'one that is there twice',
    (all) => [...all, ...all.slice(0, 1).map((one) => ({ ...one, offset: 9 }))],
    'every-event-has-its-effect-once',
  ],
  [
    'one of no event',
    (all) => [...all, { partition: 0, offset: 9, identity: 'x', key: 'a', round: 77 }],
    'every-event-has-its-effect-once',
  ],
  [
    'copies of an event that lead to effects of two identities',
    (all) => all.map((one) => (one.key === 'b' && one.offset === 4 ? { ...one, identity: 'other' } : one)),
    'every-event-has-its-effect-once',
  ],
  [
    'other bytes',
    (all) => all.map((one, index) => (index === 3 ? { ...one, value: '{"round":3,"key":"a"}' } : one)),
    'effects-are-those-of-a-clean-run',
  ],
  [
    'another partition',
    (all) => all.map((one, index) => (index === 3 ? { ...one, partition: 2, offset: 9 } : one)),
    'effects-are-those-of-a-clean-run',
  ],
  [
    'another order',
    (all) => all.map((one, index) => (index === 0 ? { ...one, offset: 9 } : one)),
    'effects-keep-their-order',
  ],
])('%s is found', async (_what, plant, found) => {
  expect(await failing(plant(honest()))).toContain(found)
})

test('a worker that ended by itself is found', async () => {
  const database = await openDatabase()
  onTestFinished(() => database.close())
  expect(await runCheck(database, workersRunOn(3, []))).toMatchObject({ ok: true, compared: 3 })
  const found = await runCheck(database, workersRunOn(2, [{ name: 'worker-1', how: 'exit 1' }]))
  expect(found).toMatchObject({ ok: false, firstRows: [{ worker: 'worker-1', how: 'exit 1' }] })
})
