/** What goes wrong: for all candidates at the same moment. */
import { MillraceError } from '@millrace/core/errors'
import { withNetwork } from '@millrace/drills/network'
import type { Ground } from '@millrace/drills/stage'

export type Fault = {
  readonly name: string
  readonly says: string
  /** Resolves when it is over and every broker takes part again. */
  readonly befall: (ground: Ground) => Promise<void>
}

const pausedMs = 10_000
const resetsMs = 10_000
const betweenResetsMs = 1_000
const swallowedMs = 5_000

/** @throws MillraceError 'config.invalid' for a name that none has */
export function faultsNamed(names: readonly string[]): readonly Fault[] {
  if (names.length === 0) return faults
  return names.map((wanted) => {
    const fault = faults.find(({ name }) => name === wanted)
    if (fault) return fault
    const known = faults.map(({ name }) => name).join(', ')
    throw new MillraceError('config.invalid', `there is no fault "${wanted}": choose from ${known}`)
  })
}

export const faults: readonly Fault[] = [
  {
    name: 'leader-kill',
    says: 'kill -9 of the broker that leads the most partitions',
    befall: async (ground) => endInTurn(ground, (await ground.brokersByLeadership()).slice(0, 1), 'SIGKILL'),
  },
  {
    name: 'brokers-paused',
    says: `all brokers stand still for ${pausedMs / 1_000} s`,
    befall: async (ground) => {
      await ground.pause(await ground.named('kafka-'), pausedMs)
      await ground.brokersReady()
    },
  },
  {
    name: 'network-reset',
    says: `all connections are reset once a second for ${resetsMs / 1_000} s`,
    befall: (ground) =>
      withNetwork(ground, async ({ clients, during }) => {
        for (let atMs = 0; atMs < resetsMs; atMs += betweenResetsMs) {
          await during(0, [{ listeners: [...clients], fault: { kind: 'reset', direction: 'both', afterBytes: 0 } }])
          await ground.wait(betweenResetsMs)
        }
      }),
  },
  {
    name: 'answers-lost',
    says: `what one broker answers is lost for ${swallowedMs / 1_000} s, then its connections are reset`,
    befall: (ground) =>
      withNetwork(ground, ({ clients, during }) =>
        during(swallowedMs, [
          { listeners: clients.slice(0, 1), fault: { kind: 'black-hole', direction: 'down', bytes: 'lost' } },
        ]),
      ),
  },
  {
    name: 'rolling-restart',
    says: 'SIGTERM for each broker in turn',
    befall: async (ground) => endInTurn(ground, await ground.named('kafka-'), 'SIGTERM'),
  },
]

/** The next only when the one before it is in sync again. */
async function endInTurn(ground: Ground, brokers: readonly string[], signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  for (const broker of brokers) {
    const back = await ground.end(broker, signal)
    await back()
    await ground.brokersReady()
  }
}
