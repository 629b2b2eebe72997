/** One more gateway of the running stack, with another clock than everybody else. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MillraceError } from '@millrace/core/errors'
import { isJsonObject } from '@millrace/core/json'
import { accessToken } from '@millrace/ledger/access-token'
import { openEventPost } from '@millrace/ledger/event-post'
import { projectDirectory } from '@millrace/stack/layout'
import { gatewaysMax } from '@millrace/stack/ports'
import { writeSecret } from '@millrace/stack/secrets'
import { mintToken } from '@millrace/stack/token'
import { waitUntil } from '@millrace/stack/wait'
import { noRequestFails } from './drill-checks.ts'
import type { Drill } from './drill.ts'
import { attemptBatch, keyedEvent, type KeyedLoad } from './keyed-load.ts'
import type { Stage } from './stage.ts'

/** Within what Kafka takes of a record's time: it refuses what is more than an hour ahead (`log.message.timestamp.after.max.ms`). */
const aheadMinutes = 30
const forMs = 15_000
const readyDeadlineMs = 60_000
const endDeadlineMs = 20_000
const keys = 20

/** Events go to the one whose clock is wrong, one batch after the other, and are judged with all others. */
export async function skewClock(stage: Stage): ReturnType<Drill['fault']> {
  await promisify(execFile)('faketime', ['--version']).catch((cause: unknown) => {
    throw new MillraceError('drill.impossible', 'not run: it takes faketime (Debian: apt install faketime)', { cause })
  })
  await using gateway = await startSkewed(stage)
  const { load, installation } = stage
  // A token that is still good when the clock is ahead.
  const token = accessToken(
    (scopes) => mintToken(installation.secrets, { subject: 'drill', scopes, ttlSeconds: 2 * aheadMinutes * 60 }),
    [`events:write:${load.eventType}`],
  )
  const post = openEventPost({ gatewayUrl: gateway.url, token, connections: 1 })
  const skewed: KeyedLoad = { ...load, gatewayUrls: [gateway.url], posts: [post], token }
  try {
    await sendAll(skewed, stage)
  } finally {
    await post.close()
  }
  return [
    noRequestFails,
    {
      name: 'the-clock-was-wrong',
      says: `the gateway with the wrong clock took events, by a clock that is about ${aheadMinutes} min ahead`,
      compared: `SELECT count(*) FROM topic WHERE starts_with(id, 'skewed-')`,
      differing: `
        SELECT topic.id, topic.timestamp_ms, sendings.at_ms FROM topic JOIN sendings USING (id)
        WHERE starts_with(id, 'skewed-') AND topic.timestamp_ms - sendings.at_ms < ${(aheadMinutes - 1) * 60_000}`,
      needsSome: true,
    },
  ]
}

async function sendAll(skewed: KeyedLoad, { signal }: Stage): Promise<void> {
  const endMs = performance.now() + forMs
  for (let round = 0; performance.now() < endMs; round += 1) {
    signal.throwIfAborted()
    const events = Array.from({ length: keys }, (_, key) => keyedEvent(skewed, `skewed-${key}`, round))
    await attemptBatch(skewed, { lane: 0, name: `skewed-${round}`, events }, 0, 0)
  }
}

async function startSkewed({ installation, signal }: Stage): Promise<AsyncDisposable & { readonly url: string }> {
  const { layout, ports } = installation
  const port = ports.gateway(gatewaysMax)
  const config: unknown = JSON.parse(await readFile(join(layout.configuration, 'gateway.json'), 'utf8'))
  if (!isJsonObject(config)) throw new MillraceError('stack.failed', 'the gateway has no configuration')
  const file = join(layout.temporary, 'skewed-gateway.json')
  await writeSecret(file, JSON.stringify({ ...config, port, schemaSnapshotFile: undefined }))
  const entry = join(projectDirectory, 'apps/gateway/src/main.ts')
  const words = ['-m', '--exclude-monotonic', '-f', `+${aheadMinutes}m`, process.execPath, entry, '--config', file]
  // A group of its own: faketime runs the program as its child, and does not pass signals on.
  const child = spawn('faketime', words, { stdio: 'ignore', detached: true })
  await once(child, 'spawn')
  const group = -(child.pid ?? 0)
  const url = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    signalled(group, 'SIGTERM')
    const isOver = () => Promise.resolve(!signalled(group, 0))
    await waitUntil('the end of the gateway with another clock', endDeadlineMs, isOver).catch(() => {
      signalled(group, 'SIGKILL')
    })
  }
  const isReady = async (within: AbortSignal) => (await fetch(`${url}/health/ready`, { signal: within })).ok
  try {
    await waitUntil('the gateway with another clock', readyDeadlineMs, isReady, signal)
  } catch (error) {
    await stop()
    throw error
  }
  return { url, [Symbol.asyncDispose]: stop }
}

/** Whether there was anybody to get the signal. */
function signalled(group: number, signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
  try {
    return process.kill(group, signal)
  } catch {
    return false
  }
}
