/**
 * The whole corpus against a running gateway, one attack after another, while good requests come beside it. The bounds on memory and
 * on the event loop are those of the gateway's own metrics.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { layoutOf } from '@millrace/stack/layout'
import { tokenAudience, tokenIssuer } from '@millrace/stack/token'
import { stack } from '@millrace/testkit/fixture'
import { exchange } from '@millrace/testkit/raw-http'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { bodyAttacks } from './bodies.ts'
import { goodTraffic, scraped } from './beside.ts'
import type { Attack } from './case.ts'
import { startControl } from './control.ts'
import { encodedAttacks, encodedTypes } from './encoded.ts'
import { forgedTokens } from './forged-tokens.ts'
import { requestAttacks } from './requests.ts'
import { streamAttacks } from './streams.ts'
import { signer, signerOf } from './token.ts'

const { gatewayUrl, issuerKeyFile, stateDirectory, passwords, token } = stack()
const rssGrowthMax = 64 * 1_048_576
/** The work that may be done in one turn of the event loop. What that takes on a shared machine, a control tells at the same time. */
const workSecondsMax = 0.05
/** A pause of the machine or of a garbage collector strikes the one or the other. */
const controlTimesMax = 4
const stallSecondsMax = 1

const issuerShape = z.object({
  kid: z.string(),
  kty: z.string(),
  crv: z.string(),
  x: z.string(),
  y: z.string(),
  d: z.string(),
})

async function statusOf({ bytes, then }: Attack): Promise<{ status: number; closed: boolean }> {
  const trickle = then && { parts: [then], pauseMs: 20 }
  const { statuses, closed } = await exchange(gatewayUrl, bytes, {
    deadlineMs: 8_000,
    ...(trickle ? { trickle } : { answers: 1 }),
  })
  return { status: statuses.find((status) => status !== 100) ?? 0, closed }
}

/** The longest delay between two scrapes, as far as the buckets tell: it was longer than this, and no longer than the next bound. */
function longestDelay(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>) {
  const grown = [...after].map(([bound, count]) => ({ bound, count: count - (before.get(bound) ?? 0) }))
  const all = Math.max(...grown.map(({ count }) => count))
  const within = grown.filter(({ count }) => count === all).map(({ bound }) => bound)
  const beyond = grown.filter(({ count }) => count < all).map(({ bound }) => bound)
  return { beyond: Math.max(0, ...beyond), within: Math.min(...within) }
}

/** Makes the types that the encoded attacks are sent to. */
async function makeEncodedTypes() {
  const headers = { authorization: `Bearer ${await token('catalog:write')}`, 'content-type': 'application/json' }
  for (const [type, definition] of Object.entries(encodedTypes)) {
    const body = JSON.stringify(definition)
    const answer = await fetch(`${gatewayUrl}/v1/event-types/${type}`, { method: 'PUT', headers, body })
    expect(answer.status, type).toBeLessThanOrEqual(201)
  }
}

/** Attacks once with everything; names what was not answered as it must be. */
async function wrongAnswers(attacks: readonly Attack[], forge: () => readonly (readonly [string, string])[]) {
  const wrong: string[] = []
  for (const attack of attacks) {
    const { status, closed } = await statusOf(attack)
    if (!attack.answers.includes(status))
      wrong.push(`${attack.name}: ${status} instead of ${attack.answers.join(' or ')}`)
    else if (attack.then && !closed) wrong.push(`${attack.name}: the connection stays open`)
  }
  // Made now: what is good in a minute would be good after the attacks.
  for (const [name, forgedToken] of forge()) {
    const lines = ['GET /v1/event-types HTTP/1.1', 'host: a', `authorization: Bearer ${forgedToken}`]
    const { statuses } = await exchange(gatewayUrl, `${lines.join('\r\n')}\r\n\r\n`, { answers: 1 })
    if (statuses[0] !== 401) wrong.push(`token: ${name}: ${statuses[0] ?? 0}`)
  }
  return wrong
}

test('every attack gets the answer that it must get, and nothing of it is felt', { timeout: 600_000 }, async () => {
  const good = await token('events:write:*', 'events:read:*', 'catalog:read')
  const es256 = signerOf(issuerShape.parse(JSON.parse(await readFile(issuerKeyFile, 'utf8'))))
  const target = {
    issuer: tokenIssuer,
    audience: tokenAudience,
    es256,
    rsa: signer('rsa', 'rsa'),
    ed25519: signer('ed', 'ed25519'),
  }
  // A line break would end the header, and with it the attack.
  const forge = () => forgedTokens(target).filter(([, text]) => !text.includes('\n'))
  const forged = forge()
  const attacks = [...bodyAttacks(good), ...requestAttacks(good), ...streamAttacks(good), ...encodedAttacks(good)]
  expect(new Set(attacks.map(({ name }) => name)).size).toBe(attacks.length)
  expect(attacks.length).toBeGreaterThanOrEqual(300)
  expect(forged.length).toBeGreaterThanOrEqual(80)

  await makeEncodedTypes()
  const traffic = goodTraffic(gatewayUrl, `Bearer ${good}`)
  // What the first round leaves behind is the gateway's warmth; what a second adds would be a leak.
  await wrongAnswers(attacks, forge)
  const endControl = startControl(workSecondsMax)
  const before = await scraped(gatewayUrl)
  const wrong = await wrongAnswers(attacks, forge)
  const after = await scraped(gatewayUrl)
  const controlSeconds = await endControl()
  // A heap may grow once when it has not for long; a leak grows in every round.
  wrong.push(...(await wrongAnswers(attacks, forge)))
  const last = await scraped(gatewayUrl)
  const rssGrowth = Math.min(after.rssBytes - before.rssBytes, last.rssBytes - after.rssBytes)
  const statuses = await traffic.stop()

  const stall = longestDelay(before.delays, after.delays)
  console.log(
    `${attacks.length} attacks and ${forged.length} forged tokens beside ${statuses.length} good requests: ` +
      `RSS grew by ${Math.round(rssGrowth / 1_048_576)} MiB a round, the longest stall was within ${stall.within} s, ` +
      `where ${workSecondsMax} s of work took up to ${controlSeconds.toFixed(3)} s`,
  )
  expect(wrong).toEqual([])
  expect(last.startedAt).toBe(before.startedAt)
  expect(statuses.length).toBeGreaterThan(10)
  expect(statuses.filter((status) => status !== 201)).toEqual([])
  expect(rssGrowth).toBeLessThan(rssGrowthMax)
  expect(controlSeconds).toBeGreaterThanOrEqual(workSecondsMax)
  expect(stall.beyond).toBeLessThanOrEqual(Math.min(stallSecondsMax, controlTimesMax * controlSeconds))

  const log = await readFile(join(layoutOf(stateDirectory).logs, 'gateway.log'), 'utf8')
  for (const secret of [good, ...forged.map(([, text]) => text), ...Object.values(passwords)]) {
    if (secret.length > 8) expect(log.includes(secret)).toBe(false)
  }
  expect(log).not.toMatch(/Bearer|eyJ/)
})
