/** Keeps a server that ended from being started again for a while, as a machine that is gone or a disk that stays full would. */
import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Layout } from './layout.ts'
import { identify, isAlive, processIdentity } from './process-identity.ts'
import { writeSecret } from './secrets.ts'
import { parsedOrRefused } from './state-file.ts'

const pollMs = 100

function holdFile(layout: Layout, name: string): string {
  return join(layout.temporary, 'held', name)
}

/** A server is held until it is let go, but no longer than this process lives. */
export async function hold(layout: Layout, name: string): Promise<void> {
  const file = holdFile(layout, name)
  await mkdir(dirname(file), { recursive: true })
  await writeSecret(file, JSON.stringify(await identify(process.pid)))
}

export async function letGo(layout: Layout, name: string): Promise<void> {
  await rm(holdFile(layout, name), { force: true })
}

/** Resolves when nobody holds a server, or when `signal` is aborted. */
export async function untilLetGo(layout: Layout, name: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await isHeld(layout, name))) {
    await sleep(pollMs, undefined, { signal }).catch(() => undefined)
  }
}

async function isHeld(layout: Layout, name: string): Promise<boolean> {
  const file = holdFile(layout, name)
  const text = await readFile(file, 'utf8').catch(() => undefined)
  return text !== undefined && isAlive(parsedOrRefused(file, text, processIdentity))
}
