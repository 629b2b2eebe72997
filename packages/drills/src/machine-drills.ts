import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MillraceError } from '@millrace/core/errors'
import { brokerDisk } from '@millrace/stack/broker-disks'
import { brokerName } from '@millrace/stack/broker-name'
import { isAlive } from '@millrace/stack/process-identity'
import { waitUntil } from '@millrace/stack/wait'
import { brokerLossSecondsMax } from './broker-drills.ts'
import { skewClock } from './clock-skew.ts'
import type { Drill } from './drill.ts'
import { watchingLeaders } from './fail-over.ts'
import type { Stage } from './stage.ts'

const run = promisify(execFile)
const endDeadlineMs = 60_000
const fullMs = 5_000
/** What the topic's largest segment may grow by until nothing more fits: some seconds of the load. */
const roomBytes = 16 * 1_024

/**
 * The process of one broker may make no file longer than the longest segment of the drill's topic and a little more, whatever its user:
 * file permissions mean nothing to root. A broker whose only disk fails ends itself. It is held down for a while, as its disk would stay
 * full, and restored by being started again: the limit was that process's alone.
 */
async function fillDisk(stage: Stage): ReturnType<Drill['fault']> {
  const { installation, load, signal } = stage
  await run('prlimit', ['--version']).catch((cause: unknown) => {
    throw new MillraceError('drill.impossible', 'not run: it takes prlimit, which util-linux has', { cause })
  })
  const node = installation.brokerNodes.at(-1) ?? 1
  const broker = brokerName(node)
  const full = await stage.identityOf(broker)
  await watchingLeaders(stage, (failOver) =>
    stage.heldDown([broker], async () => {
      const bytes = (await largestSegment(brokerDisk(installation.layout, node), load.eventType)) + roomBytes
      await run('prlimit', ['--pid', String(full.pid), `--fsize=${bytes}:`])
      await waitUntil(
        `the end of ${broker}, whose disk is full,`,
        endDeadlineMs,
        async () => !(await isAlive(full)),
        signal,
      )
      stage.over()
      await Promise.all([stage.wait(fullMs), failOver(broker)])
    }),
  )
  await stage.brokersReady()
  return undefined
}

async function largestSegment(disk: string, topic: string): Promise<number> {
  const folders = (await readdir(disk)).filter((name) => name.startsWith(`${topic}-`))
  const sizes = await Promise.all(
    folders.map(async (folder) => {
      const segments = (await readdir(join(disk, folder))).filter((name) => name.endsWith('.log'))
      return Promise.all(segments.map(async (name) => (await stat(join(disk, folder, name))).size))
    }),
  )
  return Math.max(0, ...sizes.flat())
}

export const machineDrills: readonly Drill[] = [
  {
    name: 'disk-full',
    says: `the disk of a broker is full: it ends, stays down for ${fullMs / 1_000} s, and has room again when it starts`,
    recoveryBound: 'broker.session.timeout.ms (6 s), or at once where the broker could still hand its partitions over',
    recoverySecondsMax: brokerLossSecondsMax,
    fault: fillDisk,
  },
  {
    name: 'clock-skew',
    says: 'a gateway whose clock is half an hour ahead takes events beside the others',
    recoveryBound: 'nothing: each gateway goes by its own clock',
    fault: skewClock,
  },
]
