import type { Stage } from './stage.ts'

export type Drill = {
  readonly name: string
  readonly says: string
  /** Does what goes wrong, and resolves when it is over: from then on the platform should recover. */
  readonly fault: (stage: Stage) => Promise<void>
}

const pauseMs = 10_000
/** Long enough for a broker that is back to be in sync before the next is killed. */
const betweenKillsMs = 5_000

export const drills: readonly Drill[] = [
  {
    name: 'broker-kill',
    says: 'kill -9 of each broker in turn: of the leaders of all partitions, and of the controller',
    fault: async (stage) => {
      for (const [index, broker] of (await stage.named('kafka-')).entries()) {
        if (index > 0) await stage.wait(betweenKillsMs)
        await stage.kill(broker)
        await stage.brokersReady()
      }
    },
  },
  {
    name: 'brokers-paused',
    says: `all brokers stand still for ${pauseMs / 1_000} s`,
    fault: async (stage) => stage.pause(await stage.named('kafka-'), pauseMs),
  },
  {
    name: 'gateway-kill',
    says: 'kill -9 of a gateway while it has requests',
    fault: (stage) => stage.kill('gateway'),
  },
  {
    name: 'registry-down',
    says: 'kill -9 of the schema registry: known types are taken all the while',
    fault: (stage) => stage.kill('registry'),
  },
]
