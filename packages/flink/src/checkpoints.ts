import { glob, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** The folder of a pipeline's checkpoints and savepoints. */
export function pipelineCheckpoints(checkpointDirectory: string, pipeline: string): string {
  return join(checkpointDirectory, pipeline)
}

type Found = { readonly path: string; readonly modifiedMs: number; readonly number: number }

/**
 * The newest complete checkpoint or savepoint in a pipeline's folder, or `undefined` when there is none, or none after `sinceMs`. Complete is
 * what has a `_metadata` file: Flink writes it last, under another name until it is whole.
 */
export async function newestCheckpoint(directory: string, sinceMs = 0): Promise<string | undefined> {
  let newest: Found | undefined
  for await (const name of glob(['*/chk-*/_metadata', 'savepoint-*/_metadata'], { cwd: directory })) {
    const found = await checkpointAt(join(directory, name))
    if (found && found.modifiedMs > sinceMs && (newest === undefined || isNewer(found, newest))) newest = found
  }
  return newest?.path
}

/** `undefined` when it is gone: Flink deletes older checkpoints while it runs. */
async function checkpointAt(file: string): Promise<Found | undefined> {
  const path = dirname(file)
  const modifiedMs = await stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  )
  if (modifiedMs === undefined) return undefined
  return { path, modifiedMs, number: Number(/^chk-(\d+)$/.exec(basename(path))?.[1] ?? Infinity) }
}

/** By number where the file system tells no times apart; a savepoint is what a job ends with. */
function isNewer(one: Found, other: Found): boolean {
  return one.modifiedMs === other.modifiedMs ? one.number > other.number : one.modifiedMs > other.modifiedMs
}
