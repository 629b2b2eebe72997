import { seededRandom } from '@millrace/core/random'
import { MillraceError } from '@millrace/core/errors'
import type { Check } from '@millrace/ledger/check'
import type { Drill } from './drill.ts'
import type { Work } from './handled-platform.ts'
import { oneOf } from './random-faults.ts'
import { scaleChecks } from './scale-checks.ts'
import type { Stage } from './stage.ts'

const kills = 50
const killsWithinMs = 50_000
const stormMs = 20_000
const stormStepMs = 2_000
const standstillMs = 12_000
const slowMs = 20
/** The group takes some seconds to give a worker what others have. */
const settleMs = 6_000
const measureMs = 6_000
const nothing = 'nothing: what is sent is acknowledged by gateways all the while'

/** At moments that chance decides, and each is started again at once, as a supervisor would. */
async function killMany({ workers, seed, wait, note }: Stage): Promise<undefined> {
  const random = seededRandom(seed)
  for (let kill = 0; kill < kills; kill += 1) {
    await wait((random() * 2 * killsWithinMs) / kills)
    const victim = oneOf(workers.names(), random)
    await workers.end(victim, 'SIGKILL')
    await workers.start(victim)
  }
  note(`${kills} workers were killed`)
  return undefined
}

async function storm({ workers, seed, wait }: Stage): Promise<undefined> {
  const random = seededRandom(seed)
  for (let step = 0; step * stormStepMs < stormMs; step += 1) {
    if (step % 2 === 0) await workers.start(`joined-${step}`)
    else await workers.end(oneOf(workers.names(), random), 'SIGTERM')
    await wait(stormStepMs)
  }
  return undefined
}

/** Longer than its session lasts: others have its partitions when it goes on. */
async function standStill({ workers, wait }: Stage): Promise<undefined> {
  const [name = ''] = workers.names()
  const pid = workers.pid(name)
  if (pid === undefined) throw new MillraceError('stack.failed', 'there is no worker')
  try {
    process.kill(pid, 'SIGSTOP')
    await wait(standstillMs)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  return undefined
}

/** One worker can handle half of what comes: a second and a third one are needed. */
function halfOf(eventsPerSecond: number): Work {
  return { tookMs: slowMs, concurrency: Math.max(1, Math.round((eventsPerSecond / 2) * (slowMs / 1_000))) }
}

async function scale(stage: Stage): Promise<readonly Check[]> {
  const { workers, load, wait, note } = stage
  await workers.ready('worker-1')
  await wait(settleMs)
  const one = await handledPerSecond(stage)
  const further = ['worker-2', 'worker-3', 'worker-4']
  for (const name of further) await workers.start(name)
  await Promise.all(further.map(workers.ready))
  const pids = workers.names().flatMap((name) => workers.pid(name) ?? [])
  await wait(settleMs)
  const four = await handledPerSecond(stage)
  // The first goes too, so that no partition can stay where it was.
  for (const name of ['worker-1', 'worker-3']) await workers.end(name, 'SIGTERM')
  await wait(settleMs)
  const two = await handledPerSecond(stage)
  const handled = { one, four, two }
  note(`handled: ${one} events/s by one worker, ${four} by four, ${two} by two`)
  return scaleChecks(handled, load.eventsPerSecond, pids)
}

async function handledPerSecond({ workers, wait }: Stage): Promise<number> {
  const [before, fromMs] = [await workers.handled(), performance.now()]
  await wait(measureMs)
  const [after, toMs] = [await workers.handled(), performance.now()]
  return Math.round(((after - before) * 1_000) / (toMs - fromMs))
}

export const workerDrills: readonly Drill[] = [
  {
    name: 'worker-kill',
    says: `${kills} times kill -9 of one of three workers, at any moment`,
    recoveryBound: nothing,
    workers: 3,
    fault: killMany,
  },
  {
    name: 'rebalance-storm',
    says: `a worker joins or leaves every ${stormStepMs / 1_000} s`,
    recoveryBound: nothing,
    workers: 3,
    fault: storm,
  },
  {
    name: 'worker-standstill',
    says: `a worker stands still for ${standstillMs / 1_000} s, so that others are given what it has, and goes on`,
    recoveryBound: nothing,
    workers: 3,
    fault: standStill,
  },
  {
    name: 'workers-scale',
    says: 'one worker, then four, then two',
    recoveryBound: nothing,
    workers: 1,
    work: halfOf,
    fault: scale,
  },
]
