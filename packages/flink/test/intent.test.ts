import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { intendedJobs, keepIntent, readIntent } from '../src/intent.ts'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'intent-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

const nothing = { statements: undefined, counting: undefined, stoppedMs: undefined, anewMs: 0 }

test('nothing is meant where nothing was ever started', async () => {
  expect(await readIntent(join(await folder(), 'spend'))).toEqual(nothing)
  expect(await intendedJobs(join(await folder(), 'no-such-folder'))).toEqual(new Map())
})

test('what is changed of it leaves the rest as it was', async () => {
  const directory = join(await folder(), 'spend')
  await keepIntent(directory, { statements: ["SET 'a' = 'b'"], counting: 'c1', stoppedMs: 12 })
  await keepIntent(directory, { anewMs: 34 })
  expect(await readIntent(directory)).toEqual({
    statements: ["SET 'a' = 'b'"],
    counting: 'c1',
    stoppedMs: 12,
    anewMs: 34,
  })
  await keepIntent(directory, { stoppedMs: undefined })
  expect(await readIntent(directory)).toMatchObject({ counting: 'c1', stoppedMs: undefined, anewMs: 34 })
  expect(await readdir(directory)).toEqual(['intent.json'])
})

test('the jobs that are to run are those that were started and not stopped by hand', async () => {
  const all = await folder()
  await keepIntent(join(all, 'runs'), { statements: ['a'] })
  await keepIntent(join(all, 'stopped'), { statements: ['a'], stoppedMs: 1 })
  await keepIntent(join(all, 'refused'), { anewMs: 1 })
  await mkdir(join(all, 'older'))
  expect(await intendedJobs(all)).toEqual(new Map([['runs', { ...nothing, statements: ['a'] }]]))
})

test('a file that is damaged is not taken for one that says nothing', async () => {
  const directory = await folder()
  await writeFile(join(directory, 'intent.json'), '{"stoppedMs": 12')
  await expect(readIntent(directory)).rejects.toMatchObject({ code: 'flink.refused' })
  await expect(keepIntent(directory, { stoppedMs: 1 })).rejects.toThrow('is damaged')
})
