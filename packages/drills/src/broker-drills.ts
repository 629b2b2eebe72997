import { isAlive } from '@millrace/stack/process-identity'
import { nothingIsAcknowledged } from './drill-checks.ts'
import type { Drill } from './drill.ts'
import type { Stage } from './stage.ts'

const pauseMs = 10_000
const downMs = 10_000
/** Long enough for a broker that is back to be in sync before the next is taken. */
const betweenBrokersMs = 5_000

const failOver = 'broker.session.timeout.ms (6 s): then its partitions get new leaders, whom gateways find within 1 s'

async function killOne(stage: Stage, broker: string): Promise<void> {
  const back = await stage.end(broker, 'SIGKILL')
  stage.over()
  await back()
  await stage.brokersReady()
}

async function eachInTurn(stage: Stage, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  for (const [index, broker] of (await stage.named('kafka-')).entries()) {
    if (index > 0) await stage.wait(betweenBrokersMs)
    const back = await stage.end(broker, signal)
    stage.over()
    await back()
    await stage.brokersReady()
  }
}

/** The one that stays is a third of the quorum: it elects no leader of a partition, and takes no replica out of those in sync. */
async function twoDown(stage: Stage): ReturnType<Drill['fault']> {
  const [, ...two] = await stage.brokersByLeadership()
  let [fromMs, toMs] = [0, 0]
  let back: (() => Promise<void>)[] = []
  await stage.heldDown(two, async () => {
    const identities = await Promise.all(two.map(stage.identityOf))
    back = await Promise.all(two.map((broker) => stage.end(broker, 'SIGKILL')))
    // A record that is appended from now on is on one broker: no follower lives to fetch it, and one must before it is acknowledged.
    fromMs = Date.now()
    await stage.wait(downMs)
    if ((await Promise.all(identities.map(isAlive))).includes(true)) throw new RangeError('a broker was not down')
    toMs = Date.now()
  })
  for (const isBack of back) await isBack()
  await stage.brokersReady()
  return nothingIsAcknowledged(fromMs, toMs)
}

export const brokerDrills: readonly Drill[] = [
  {
    name: 'broker-kill',
    says: 'kill -9 of each broker in turn: of the leaders of all partitions, and of the controller',
    recoveryBound: failOver,
    fault: async (stage) => {
      await eachInTurn(stage, 'SIGKILL')
      return undefined
    },
  },
  {
    name: 'leader-kill',
    says: 'kill -9 of the broker that leads the most partitions',
    recoveryBound: failOver,
    fault: async (stage) => {
      const [leader = ''] = await stage.brokersByLeadership()
      await killOne(stage, leader)
      return undefined
    },
  },
  {
    name: 'controller-kill',
    says: 'kill -9 of the broker that is the active controller',
    recoveryBound: `${failOver}; before that the quorum elects another controller`,
    fault: async (stage) => {
      await killOne(stage, await stage.controller())
      return undefined
    },
  },
  {
    name: 'rolling-restart',
    says: 'SIGTERM for each broker in turn, as a new version is rolled out',
    recoveryBound:
      'a broker that is told to stop hands its partitions over first: gateways find their new leaders within 1 s',
    fault: async (stage) => {
      await eachInTurn(stage, 'SIGTERM')
      return undefined
    },
  },
  {
    name: 'two-brokers-down',
    says: `kill -9 of two of three brokers, held down for ${downMs / 1_000} s: 503, and never 2xx`,
    recoveryBound: 'the pause of up to 5 s that a sender makes between two attempts at most',
    fault: twoDown,
  },
  {
    name: 'brokers-paused',
    says: `all brokers stand still for ${pauseMs / 1_000} s`,
    recoveryBound: 'the pause of up to 5 s that a sender makes between two attempts at most',
    fault: async (stage) => {
      await stage.pause(await stage.named('kafka-'), pauseMs)
      return undefined
    },
  },
]
