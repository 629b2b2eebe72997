import { readdir, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import { type Layout, layoutOf } from '@millrace/stack/layout'
import { isAlive } from '@millrace/stack/process-identity'
import { deleteRecord, endAll, leftovers, readRecord } from '@millrace/stack/run-folder'

/** Longer than the runner itself needs for the slowest server. */
const stopTimeoutMs = 120_000

/**
 * Stops what runs in a state folder, whether its runner still lives or was killed.
 * @returns a sentence that says what was done
 * @throws MillraceError `config.invalid` when the folder to wipe holds things that are not the platform's
 */
export async function down(state: string, wipe: boolean): Promise<string> {
  const layout = layoutOf(state)
  if (wipe) await requireOwn(layout)
  const record = await readRecord(layout)
  const runner = record && (await isAlive(record.runner)) ? record.runner : undefined
  if (runner) await endAll([runner], stopTimeoutMs)
  const left = await leftovers(record)
  await endAll(left.map(({ identity }) => identity))
  await deleteRecord(layout)
  if (wipe) await rm(layout.state, { recursive: true, force: true })
  const stopped = runner
    ? 'everything is stopped'
    : left.length > 0
      ? `stopped ${left.length} servers of a killed run`
      : 'nothing ran here'
  return wipe ? `${stopped}; the state folder is deleted` : stopped
}

/** So that a slip in --state deletes nobody's home. */
async function requireOwn(layout: Layout): Promise<void> {
  const own = Object.values(layout).map((path) => basename(path))
  const foreign = (await readdir(layout.state).catch(() => [])).filter((name) => !own.includes(name))
  if (foreign.length > 0) {
    throw new MillraceError(
      'config.invalid',
      `${layout.state} holds "${foreign[0]}", which is not the platform's: nothing is deleted; look at --state`,
    )
  }
}
