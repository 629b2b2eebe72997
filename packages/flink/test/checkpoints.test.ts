import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { newestCheckpoint } from '../src/checkpoints.ts'

const [job, laterJob] = ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210']
let directory = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'checkpoints-'))
  onTestFinished(() => rm(directory, { recursive: true }))
})

/** Makes a folder that Flink completed at a second. */
async function complete(name: string, second: number): Promise<string> {
  const path = await incomplete(name)
  await writeFile(join(path, '_metadata'), '')
  await utimes(join(path, '_metadata'), second, second)
  return path
}

async function incomplete(name: string): Promise<string> {
  const path = join(directory, name)
  await mkdir(path, { recursive: true })
  return path
}

test('there is none where there is no folder, and none where no job has made one', async () => {
  expect(await newestCheckpoint(join(directory, 'missing'))).toBeUndefined()
  expect(await newestCheckpoint(directory)).toBeUndefined()
})

test('one without metadata is not complete', async () => {
  await incomplete(`${job}/chk-3`)
  await writeFile(join(await incomplete(`${job}/chk-4`), '._metadata.inprogress.6f1'), '')
  await incomplete('savepoint-012345-abc')
  expect(await newestCheckpoint(directory)).toBeUndefined()
  const older = await complete(`${job}/chk-2`, 100)
  expect(await newestCheckpoint(directory)).toBe(older)
})

test('the tenth is newer than the ninth, also where the file system tells no times apart', async () => {
  await complete(`${job}/chk-9`, 100)
  const tenth = await complete(`${job}/chk-10`, 100)
  await complete(`${job}/chk-2`, 100)
  expect(await newestCheckpoint(directory)).toBe(tenth)
})

test('the newest counts over all jobs that the pipeline ever had', async () => {
  await complete(`${job}/chk-200`, 100)
  const newest = await complete(`${laterJob}/chk-7`, 101)
  expect(await newestCheckpoint(directory)).toBe(newest)
})

test('a savepoint counts like a checkpoint, and comes after the last of its job', async () => {
  await complete(`${job}/chk-10`, 100)
  const savepoint = await complete('savepoint-012345-6789abcdef', 100)
  expect(await newestCheckpoint(directory)).toBe(savepoint)
  const next = await complete(`${laterJob}/chk-11`, 101)
  expect(await newestCheckpoint(directory)).toBe(next)
})

test('what else lies in the folder is none', async () => {
  await complete(`${job}/shared`, 300)
  await complete(`${job}/taskowned`, 300)
  await complete('chk-5', 300)
  expect(await newestCheckpoint(directory)).toBeUndefined()
})

test('what is not younger than a job that began anew is not its own', async () => {
  const savepoint = await complete('savepoint-012345-6789abcdef', 100)
  expect(await newestCheckpoint(directory, 99_999)).toBe(savepoint)
  expect(await newestCheckpoint(directory, 100_000)).toBeUndefined()
  const next = await complete(`${laterJob}/chk-1`, 101)
  expect(await newestCheckpoint(directory, 100_000)).toBe(next)
})
