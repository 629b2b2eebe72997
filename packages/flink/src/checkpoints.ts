import { glob, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The folder of a pipeline's checkpoints and savepoints. */
export function pipelineCheckpoints(checkpointDirectory: string, pipeline: string): string {
  return join(checkpointDirectory, pipeline)
}

/**
 * The newest complete checkpoint or savepoint in a pipeline's folder, or `undefined` when there is none. Complete is what has
 * a `_metadata` file: Flink writes it last, under another name until it is whole.
 */
export async function newestCheckpoint(directory: string): Promise<string | undefined> {
  let newest: { readonly path: string; readonly modifiedMs: number } | undefined
  for await (const name of glob(['*/chk-*/_metadata', 'savepoint-*/_metadata'], { cwd: directory })) {
    const file = join(directory, name)
    // Flink deletes older checkpoints while it runs.
    const modifiedMs = await stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    )
    if (modifiedMs !== undefined && modifiedMs > (newest?.modifiedMs ?? 0)) newest = { path: dirname(file), modifiedMs }
  }
  return newest?.path
}
