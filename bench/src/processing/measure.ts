/** One run of an engine over all flights: what it cost, and whether its results are right. */
import { readFile } from 'node:fs/promises'
import { MillraceError } from '@millrace/core/errors'
import type { Admin } from '@millrace/kafka/admin'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { openTail } from '@millrace/kafka/tail'
import { processUsage, usageOfAll } from '@millrace/stack/process-usage'
import { waitUntil } from '@millrace/stack/wait'
import type { Engine } from './engine.ts'
import type { Work, WorkName } from './platform.ts'
import { Comparison, type Results } from './results.ts'

/** What a run took from one moment to the last result that a read-committed reader saw. */
export type Cost = {
  readonly seconds: number
  /** Of the engine's process. */
  readonly cpu: { readonly user: number; readonly system: number }
  readonly brokersCpu: number
}

export type Run = {
  readonly works: readonly WorkName[]
  readonly results: number
  /** From when the engine said that it runs. */
  readonly running: Cost
  /** From when half of the results were there: by then the JVM's compilers have done most of what they will. */
  readonly secondHalf: Cost
  /** From when it was told to: with the planning of jobs, or the joining of the group. */
  readonly whole: Cost
  /** The most that the engine's process has had in memory since it began. */
  readonly memoryBytesMax: number
}

export type Ground = {
  readonly admin: Admin
  readonly connection: KafkaConnection
  readonly brokers: () => number[]
  readonly expected: ReadonlyMap<string, Results>
  readonly signal: AbortSignal
}

const runDeadlineMs = 900_000
const restDeadlineMs = 30_000

/** @throws MillraceError 'verdict.failed' when a result is missing, there twice, or another than it must be */
export async function measure(engine: Engine, works: readonly Work[], ground: Ground): Promise<Run> {
  const outputs = await Promise.all(works.map((work) => openOutput(engine.topicOf(work), work, ground)))
  try {
    const told = await look(engine, ground)
    await engine.start(works)
    const running = await look(engine, ground)
    const have = (share: number) => () => Promise.resolve(outputs.every(({ comparison }) => comparison.has(share)))
    await waitUntil('half of the results', runDeadlineMs, have(1 / 2), ground.signal).catch(keepIfIncomplete)
    const half = await look(engine, ground)
    await waitUntil('the last result', runDeadlineMs, have(1), ground.signal).catch(keepIfIncomplete)
    const end = await look(engine, ground)
    await engine.stop()
    for (const { rest } of outputs) await rest()
    const differences = outputs.flatMap(({ comparison }) => comparison.differences)
    if (differences.length > 0) throw new MillraceError('verdict.failed', `wrong results: ${differences.join('; ')}`)
    const results = works.reduce((sum, { name }) => sum + (ground.expected.get(name)?.size ?? 0), 0)
    return {
      ...{ works: works.map(({ name }) => name), results },
      ...{ running: between(running, end), secondHalf: between(half, end), whole: between(told, end) },
      memoryBytesMax: end.memoryBytesMax,
    }
  } finally {
    await Promise.all(outputs.map(({ close }) => close()))
  }
}

/** Which results are missing says more than that they took too long. */
function keepIfIncomplete(error: unknown): void {
  if (!(error instanceof MillraceError) || error.code !== 'stack.failed') throw error
}

/** What is written to a topic from now on. */
async function openOutput(topic: string, work: Work, { admin, connection, expected, signal }: Ground) {
  const comparison = new Comparison(expected.get(work.name) ?? new Map(), work)
  let positions: ReadonlyMap<number, bigint> = await admin.endOffsets(topic)
  const tail = await openTail(connection, topic, positions, {
    onRecords: (records) => {
      for (const { value } of records) if (value) comparison.take(value)
    },
    onProgress: (now) => (positions = now),
  })
  return {
    comparison,
    /** Reads what is there after the engine has ended: a result may have come twice. */
    rest: async () => {
      const ends = await admin.endOffsets(topic)
      const isRead = () =>
        Promise.resolve([...ends].every(([partition, end]) => (positions.get(partition) ?? 0n) >= end))
      await waitUntil(`the end of ${topic}`, restDeadlineMs, isRead, signal)
    },
    close: tail.close,
  }
}

async function look(engine: Engine, { brokers }: Ground) {
  const pid = engine.pid()
  const [own, status] = await Promise.all([processUsage(pid), readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')])
  if (!own) throw new Error(`process ${pid} is gone, or this system does not tell what it uses`)
  return {
    atMs: performance.now(),
    user: own.cpuSeconds - own.systemSeconds,
    system: own.systemSeconds,
    brokersCpu: (await usageOfAll(brokers())).cpuSeconds,
    memoryBytesMax: Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) * 1_024,
  }
}

type Look = Awaited<ReturnType<typeof look>>

function between(begin: Look, end: Look): Cost {
  return {
    seconds: (end.atMs - begin.atMs) / 1_000,
    cpu: { user: end.user - begin.user, system: end.system - begin.system },
    brokersCpu: end.brokersCpu - begin.brokersCpu,
  }
}
