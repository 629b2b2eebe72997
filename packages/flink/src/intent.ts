import { glob, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { MillraceError } from '@millrace/core/errors'
import { isJsonObject, parsedJson } from '@millrace/core/json'
import type { CompiledPipeline } from './compile.ts'

/**
 * What is meant to become of a pipeline's job, kept beside its checkpoints: by it a job that a crash of Flink has ended is started again as it
 * was submitted, whatever the definition says by then, and a job that was stopped by hand is not.
 */
export type Intent = {
  /** The statements of the job that is to run. */
  readonly statements: CompiledPipeline['statements'] | undefined
  /** `CompiledPipeline.counting` of that job, whose checkpoints these are. */
  readonly counting: CompiledPipeline['counting'] | undefined
  /** Since when it is stopped by hand, in milliseconds since the epoch. */
  readonly stoppedMs: number | undefined
  /** It began anew then: checkpoints of before are not its own. In milliseconds since the epoch. */
  readonly anewMs: number
}

const none: Intent = { statements: undefined, counting: undefined, stoppedMs: undefined, anewMs: 0 }
const fileName = 'intent.json'

/** What was last kept in the folder of a pipeline's checkpoints. */
export async function readIntent(directory: string): Promise<Intent> {
  const file = join(directory, fileName)
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new MillraceError('flink.refused', `${file} cannot be read: make it readable`, { cause })
  })
  if (text === undefined) return none
  const kept = parsedJson(text)
  if (!isJsonObject(kept)) throw new MillraceError('flink.refused', `${file} is damaged: delete it, then apply`)
  const { statements, counting, stoppedMs, anewMs } = kept
  return {
    statements: Array.isArray(statements) ? statements.filter((one) => typeof one === 'string') : undefined,
    counting: typeof counting === 'string' ? counting : undefined,
    stoppedMs: typeof stoppedMs === 'number' ? stoppedMs : undefined,
    anewMs: typeof anewMs === 'number' ? anewMs : 0,
  }
}

/** Changes what is kept; whoever reads it meanwhile finds all of it or nothing of it. */
export async function keepIntent(directory: string, change: Partial<Intent>): Promise<void> {
  const file = join(directory, fileName)
  const before = await readIntent(directory)
  const after = { ...before, ...change }
  if (isDeepStrictEqual(before, after)) return
  const unfinished = `${file}.${process.pid}`
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeFile(unfinished, JSON.stringify(after), { mode: 0o600 })
    await rename(unfinished, file)
  } catch (cause) {
    await rm(unfinished, { force: true })
    throw new MillraceError('flink.refused', `${file} cannot be written: see whether the disk is full`, { cause })
  }
}

/** The pipelines whose jobs are to run, by name. */
export async function intendedJobs(checkpointDirectory: string): Promise<Map<string, Intent>> {
  const intended = new Map<string, Intent>()
  for await (const file of glob(`*/${fileName}`, { cwd: checkpointDirectory })) {
    const name = dirname(file)
    const intent = await readIntent(join(checkpointDirectory, name))
    if (intent.statements !== undefined && intent.stoppedMs === undefined) intended.set(name, intent)
  }
  return intended
}
