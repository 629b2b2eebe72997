import { readFile, rm } from 'node:fs/promises'
import { MillraceError } from '@millrace/core/errors'
import { beginRotation } from '@millrace/stack/issuer-rotation'
import { writeSecret } from '@millrace/stack/secrets'
import { waitUntil } from '@millrace/stack/wait'
import { noRequestFails } from './drill-checks.ts'
import type { Drill } from './drill.ts'
import type { Stage } from './stage.ts'

/** Gateways look at the file of keys every 2 s, and after a broken read at most once a second. */
const keysReadMs = 4_000
/** What was asked with a token of the old key is answered by then. */
const overlapMs = 5_000
const refusedDeadlineMs = 10_000
const brokenMs = 6_000

/** Resolves when a gateway refuses a token that was good. */
async function refused({ signal }: Stage, gatewayUrl: string, token: string): Promise<void> {
  await waitUntil(
    `the end of a token whose key is retired, at ${gatewayUrl},`,
    refusedDeadlineMs,
    async (within) => {
      const headers = { authorization: `Bearer ${token}` }
      const answer = await fetch(`${gatewayUrl}/openapi.json`, { headers, signal: within })
      await answer.body?.cancel()
      return answer.status === 401
    },
    signal,
  )
}

async function rotate(stage: Stage): ReturnType<Drill['fault']> {
  const { load, installation } = stage
  const old = await load.token.current()
  const rotation = await beginRotation(installation.secrets)
  await stage.wait(keysReadMs)
  await rotation.use()
  load.token.renew()
  if ((await load.token.current()) === old)
    throw new MillraceError('stack.failed', 'no token of the new key was minted')
  await stage.wait(overlapMs)
  await rotation.retire()
  for (const gatewayUrl of load.gatewayUrls) await refused(stage, gatewayUrl, old)
  return [noRequestFails]
}

/** The file of keys is nonsense, then gone, and then what it was. */
async function breakKeys(stage: Stage): ReturnType<Drill['fault']> {
  const { jwksFile } = stage.installation.secrets
  const keys = await readFile(jwksFile, 'utf8')
  try {
    await writeSecret(jwksFile, '{"keys":[{"kty":"EC",')
    await stage.wait(brokenMs)
    await rm(jwksFile)
    await stage.wait(brokenMs)
  } finally {
    await writeSecret(jwksFile, keys)
  }
  return [noRequestFails]
}

export const tokenDrills: readonly Drill[] = [
  {
    name: 'jwks-rotation',
    says: 'the issuer gets a new key, and retires the old one: no valid token is refused, and no retired one taken',
    recoveryBound: 'nothing: both keys are good while gateways and senders change over',
    fault: rotate,
  },
  {
    name: 'jwks-broken',
    says: `the issuer's keys are nonsense for ${brokenMs / 1_000} s, and gone for ${brokenMs / 1_000} s more: the keys that are known stay in use`,
    recoveryBound: 'nothing: keys that are known stay in use for an hour',
    fault: breakKeys,
  },
]
