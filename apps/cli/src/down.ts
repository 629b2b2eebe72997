import { readdir, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import { type Layout, layoutOf } from '@millrace/stack/layout'
import { isAlive, type ProcessIdentity } from '@millrace/stack/process-identity'
import { clearRun, endAll, leftovers, lockHolder, readRecord } from '@millrace/stack/run-folder'

/** Longer than the runner itself needs for the slowest server. */
const stopTimeoutMs = 200_000

/**
 * Stops what runs in a state folder, whether its runner still lives or was killed.
 * @returns a sentence that says what was done
 * @throws MillraceError `config.invalid` when the folder to wipe is no state folder
 */
export async function down(state: string, wipe: boolean): Promise<string> {
  const layout = layoutOf(state)
  if (wipe) await requireOwn(layout)
  const runner = await runnerOf(layout)
  if (runner) await endAll([runner], stopTimeoutMs)
  const left = await leftovers(await readRecord(layout)) // read now: the runner may have written it since
  await endAll(left.map(({ identity }) => identity))
  await clearRun(layout)
  if (wipe) await rm(layout.state, { recursive: true, force: true })
  const stopped = runner
    ? 'everything is stopped'
    : left.length > 0
      ? `stopped ${left.length} servers of a killed run`
      : 'nothing ran here'
  return wipe ? `${stopped}; the state folder is deleted` : stopped
}

/** Who runs there; one that has only begun holds the lock and has no record yet. */
async function runnerOf(layout: Layout): Promise<ProcessIdentity | undefined> {
  const holder = await lockHolder(layout)
  if (holder) return holder
  const record = await readRecord(layout)
  return record && (await isAlive(record.runner)) ? record.runner : undefined
}

/** So that a slip in --state deletes nobody's home. */
async function requireOwn(layout: Layout): Promise<void> {
  const names: string[] = await readdir(layout.state).catch(() => [])
  const own = [layout.secrets, layout.run].every((path) => names.includes(basename(path)))
  if (names.length > 0 && !own) {
    throw new MillraceError(
      'config.invalid',
      `${layout.state} is no state folder (it holds ${names[0]}): nothing is deleted, look at --state`,
    )
  }
}
