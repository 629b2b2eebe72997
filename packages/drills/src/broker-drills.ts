import { isAlive } from '@millrace/stack/process-identity'
import { brokerSessionTimeoutMs } from '@millrace/stack/servers/kafka'
import { nothingIsAcknowledged } from './drill-checks.ts'
import { afterFailOverSecondsMax, type Drill } from './drill.ts'
import { watchingLeaders } from './fail-over.ts'
import type { Stage } from './stage.ts'

const pauseMs = 10_000
/** Long enough for requests to be sent and answered meanwhile: the gateway answers 503 when an event was not confirmed for 11 s. */
const downMs = 20_000

const failOverBound = `broker.session.timeout.ms (${brokerSessionTimeoutMs / 1_000} s): then its partitions get new leaders, for whom gateways ask every 0.1 s`
/** `controller.quorum.fetch.timeout.ms`, and what the election of a controller takes then. */
const electionSecondsMax = 2 + 1
/** What is promised of recovery from the loss of a broker, which may be the controller: the time it takes until others lead, and 2 s. */
export const brokerLossSecondsMax = electionSecondsMax + brokerSessionTimeoutMs / 1_000 + afterFailOverSecondsMax
const controllerFailOverBound = `the election of another controller (controller.quorum.fetch.timeout.ms, 2 s, and up to 1 s more), which gives every broker a whole ${failOverBound}`

/** The next only when the one before it is in sync again. */
async function eachInTurn(stage: Stage, brokers: readonly string[], signal: 'SIGKILL' | 'SIGTERM'): Promise<undefined> {
  await watchingLeaders(stage, async (failOver) => {
    for (const broker of brokers) {
      const back = await stage.end(broker, signal)
      stage.over()
      await Promise.all([back(), failOver(broker)])
      await stage.brokersReady()
    }
  })
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
  stage.over()
  for (const isBack of back) await isBack()
  await stage.brokersReady()
  return nothingIsAcknowledged(fromMs, toMs)
}

export const brokerDrills: readonly Drill[] = [
  {
    name: 'broker-kill',
    says: 'kill -9 of each broker in turn: of the leaders of all partitions, and of the controller',
    recoveryBound: controllerFailOverBound,
    recoverySecondsMax: brokerLossSecondsMax,
    fault: async (stage) => eachInTurn(stage, await stage.named('kafka-'), 'SIGKILL'),
  },
  {
    name: 'leader-kill',
    says: 'kill -9 of the broker that leads the most partitions',
    recoveryBound: controllerFailOverBound,
    recoverySecondsMax: brokerLossSecondsMax,
    fault: async (stage) => eachInTurn(stage, (await stage.brokersByLeadership()).slice(0, 1), 'SIGKILL'),
  },
  {
    name: 'controller-kill',
    says: 'kill -9 of the broker that is the active controller',
    recoveryBound: controllerFailOverBound,
    recoverySecondsMax: brokerLossSecondsMax,
    fault: async (stage) => eachInTurn(stage, [await stage.controller()], 'SIGKILL'),
  },
  {
    name: 'rolling-restart',
    says: 'SIGTERM for each broker in turn, as a new version is rolled out',
    recoveryBound:
      'nothing: a broker that is told to stop hands its partitions over first, and names their new leaders',
    recoverySecondsMax: brokerLossSecondsMax,
    fault: async (stage) => eachInTurn(stage, await stage.named('kafka-'), 'SIGTERM'),
  },
  {
    name: 'two-brokers-down',
    says: `kill -9 of two of three brokers, held down for ${downMs / 1_000} s: 503, and never 2xx`,
    recoveryBound: 'the start of the two brokers; then the pause of up to 5 s that a sender makes between two attempts',
    fault: twoDown,
  },
  {
    name: 'brokers-paused',
    says: `all brokers stand still for ${pauseMs / 1_000} s`,
    recoveryBound: 'the pause of up to 5 s that a sender makes between two attempts',
    fault: async (stage) => {
      await stage.pause(await stage.named('kafka-'), pauseMs)
      return undefined
    },
  },
]
