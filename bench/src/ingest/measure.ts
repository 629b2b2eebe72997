import { processUsage, usageOfAll } from '@millrace/stack/process-usage'
import type { Pids } from '../pids.ts'
import type { Mode } from './events.ts'
import type { LoadResult } from './load.ts'
import type { SubjectName } from './platform.ts'
import { concurrencyOf, type Subject } from './subjects.ts'

type Part = 'user' | 'system' | 'generator' | 'brokers'

/** `saturation`: as fast as it answers. `half`: at half of that, open loop. */
export type LoadKind = 'saturation' | 'half'

export type Measurement = LoadResult & {
  readonly subject: SubjectName
  readonly mode: Mode
  readonly kind: LoadKind
  readonly round: number
  /** Bodies per second that were asked for; null: as many as it takes. */
  readonly offeredPerSecond: number | null
  readonly eventsPerSecond: number
  /** Of the process under test, in user and kernel mode. */
  readonly eventsPerCpuSecond: number
  readonly memoryBytes: number
  /** Cores that were busy, of the process under test in user and kernel mode, of the load generator and of the brokers. */
  readonly cores: Readonly<Record<Part, number>>
}

export type Asked = {
  readonly mode: Mode
  readonly kind: LoadKind
  readonly round: number
  readonly seconds: number
  readonly perSecond: number | undefined
}

/** How long the same load runs before it is measured. */
const settleSeconds = 1

/** Puts load on a subject, first unmeasured, and says what it did and what it cost. */
export async function measure(subject: Subject, asked: Asked, pids: Pids): Promise<Measurement> {
  const { mode, kind, round, seconds, perSecond } = asked
  const load = { perSecond, seconds, concurrency: concurrencyOf(mode) }
  await subject.put(mode, { ...load, seconds: settleSeconds })
  const before = await look(subject, pids)
  const result = await subject.put(mode, load)
  const after = await look(subject, pids)
  const cores = (part: Part) => (after[part] - before[part]) / result.seconds
  return {
    ...result,
    subject: subject.name,
    mode,
    kind,
    round,
    offeredPerSecond: perSecond ?? null,
    eventsPerSecond: result.events / result.seconds,
    eventsPerCpuSecond: result.events / (after.user + after.system - before.user - before.system),
    memoryBytes: after.memoryBytes,
    cores: { user: cores('user'), system: cores('system'), generator: cores('generator'), brokers: cores('brokers') },
  }
}

async function look(subject: Subject, pids: Pids) {
  const own = await processUsage(pids.of(subject.server))
  if (!own) throw new Error(`${subject.server} is gone, or this system does not tell what it uses`)
  const generator = process.cpuUsage()
  return {
    user: own.cpuSeconds - own.systemSeconds,
    system: own.systemSeconds,
    memoryBytes: own.memoryBytes,
    generator: (generator.user + generator.system) / 1e6,
    brokers: (await usageOfAll(pids.brokers())).cpuSeconds,
  }
}
