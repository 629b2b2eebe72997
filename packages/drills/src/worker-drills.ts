import { seededRandom } from '@millrace/core/random'
import { MillraceError } from '@millrace/core/errors'
import type { Drill } from './drill.ts'
import type { Stage } from './stage.ts'
import { oneOf } from './random-faults.ts'

const kills = 50
const killsWithinMs = 50_000
const stormMs = 20_000
const stormStepMs = 2_000
const standstillMs = 12_000
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

async function scale({ workers, wait }: Stage): Promise<undefined> {
  for (const name of ['worker-2', 'worker-3', 'worker-4']) await workers.start(name)
  await wait(12_000)
  for (const name of ['worker-2', 'worker-4']) await workers.end(name, 'SIGTERM')
  await wait(6_000)
  return undefined
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
    fault: scale,
  },
]
