/** What goes wrong between the gateways and the schema registry. Known types are taken all the while; new ones are refused for now. */
import { MillraceError } from '@millrace/core/errors'
import type { Fault } from '@millrace/faults/fault'
import { mintToken } from '@millrace/stack/token'
import { noRequestFails } from './drill-checks.ts'
import type { Drill } from './drill.ts'
import { cut, networkRecoverySecondsMax, requireFaultProxy, withNetwork } from './network.ts'
import type { Stage } from './stage.ts'

const faultMs = 12_000
const slowMs = 5_000
/** When a new type is asked for, from the beginning of the fault. */
const askAfterMs = 500
/** Some requests to the registry, each of which is given up after 10 s. */
const askDeadlineMs = 45_000

function registryDrill(name: string, says: string, fault: Fault): Drill {
  return {
    name,
    says: `${says} for ${faultMs / 1_000} s: known types are taken all the while, a new one is not`,
    recoveryBound: 'nothing: schemas that are known are cached',
    recoverySecondsMax: networkRecoverySecondsMax,
    requires: requireFaultProxy,
    calmsDown: true,
    fault: async (stage) => {
      await withNetwork(stage, async ({ during }) => {
        await Promise.all([during(faultMs, [{ listeners: ['registry'], fault }]), askAmidst(stage)])
      })
      stage.over()
      await expectAnswer(stage, 'afterwards', [201])
      return [noRequestFails]
    },
  }
}

export const registryNetworkDrills: readonly Drill[] = [
  registryDrill('registry-slow', `the schema registry answers the gateways after ${slowMs / 1_000} s`, {
    kind: 'latency',
    direction: 'down',
    ms: slowMs,
    jitterMs: 0,
    seed: 0,
  }),
  registryDrill('registry-cut', 'nothing passes between the gateways and the schema registry', cut),
  registryDrill('registry-garbage', 'the schema registry answers the gateways other bytes than it sends', {
    kind: 'corrupt',
    direction: 'down',
  }),
]

/** What needs the registry is done, however late, or refused for now; nothing else. */
async function askAmidst(stage: Stage): Promise<void> {
  await stage.wait(askAfterMs)
  await expectAnswer(stage, 'meanwhile', [201, 503])
}

/** @throws MillraceError 'verdict.failed' when a new event type is answered another status */
async function expectAnswer(stage: Stage, when: string, expected: readonly number[]): Promise<void> {
  const status = await askForNewType(stage)
  stage.note(`a new event type was answered ${status} ${when}`)
  if (expected.includes(status)) return
  throw new MillraceError(
    'verdict.failed',
    `a new event type was answered ${status} ${when}, not ${expected.join('/')}`,
  )
}

async function askForNewType({ installation, load, signal }: Stage): Promise<number> {
  const claims = { subject: 'drill', scopes: ['catalog:write'], ttlSeconds: 60 }
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' }
  const answer = await fetch(`${load.gatewayUrls[0] ?? ''}/v1/event-types/drill.registry-${Date.now()}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${await mintToken(installation.secrets, claims)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ format: 'json', schema, partitions: 1, retentionMs: 3_600_000 }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(askDeadlineMs)]),
  })
  await answer.body?.cancel()
  return answer.status
}
