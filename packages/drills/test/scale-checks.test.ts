import { runCheck } from '@millrace/ledger/check'
import { openDatabase } from '@millrace/ledger/database'
import { expect, onTestFinished, test } from 'vitest'
import { scaleChecks } from '../src/scale-checks.ts'

const asked = 1_000
const follows = { one: 480, four: 1_200, two: 900 }

/** @param effects which worker made one in which partition */
async function failing(handled: typeof follows, effects: readonly (readonly [worker: number, partition: number])[]) {
  const database = await openDatabase()
  onTestFinished(() => database.close())
  await database.run('CREATE TABLE effects (worker VARCHAR, partition INTEGER)')
  for (const [worker, partition] of effects)
    await database.run(`INSERT INTO effects VALUES ('${worker}', ${partition})`)
  const failed: string[] = []
  for (const check of scaleChecks(handled, asked, [11, 12]))
    if (!(await runCheck(database, check)).ok) failed.push(check.name)
  return failed
}

const moved = [
  [11, 0],
  [11, 1],
  [12, 0],
  [12, 1],
] as const

test('workers that share the events, and do more together, are found well', async () => {
  expect(await failing(follows, moved)).toEqual([])
})

test('four that do no more than one, and one that keeps up with all there is, are found', async () => {
  expect(await failing({ ...follows, four: 490 }, moved)).toEqual(['throughput-follows-the-workers'])
  expect(await failing({ one: 1_000, four: 2_000, two: 1_000 }, moved)).toEqual(['throughput-follows-the-workers'])
})

test('a worker that has had none, and a partition that has not moved, are found', async () => {
  expect(await failing(follows, moved.slice(0, 2))).toEqual(['every-worker-has-some', 'every-partition-moves'])
  expect(await failing(follows, moved.slice(0, 3))).toEqual(['every-partition-moves'])
})
