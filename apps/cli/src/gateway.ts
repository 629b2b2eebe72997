import { MillraceError } from '@millrace/core/errors'
import type { Installation } from '@millrace/stack/installation'
import { gatewayUrl } from '@millrace/stack/servers/gateway'
import { mintToken } from '@millrace/stack/token'
import * as z from 'zod'

const problemShape = z.looseObject({
  detail: z.string(),
  errors: z.array(z.looseObject({ pointer: z.string(), detail: z.string() })).default([]),
})

const tokenTtlSeconds = 600
/** Longer than a replay of the largest size takes, with its canaries. */
const timeoutMs = 60_000

/**
 * Asks the API, like anybody else.
 * @throws MillraceError 'stack.failed' when it does not answer, or says no.
 */
export async function askGateway<T>(
  installation: Installation,
  shape: z.ZodType<T>,
  scope: string,
  path: string,
  body?: object,
): Promise<T> {
  const claims = { subject: 'millrace-cli', scopes: [scope], ttlSeconds: tokenTtlSeconds }
  const authorization = `Bearer ${await mintToken(installation.secrets, claims)}`
  const answer = await fetch(`${gatewayUrl(installation)}${path}`, {
    headers: { authorization, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => {
    throw new MillraceError('stack.failed', 'the gateway does not answer: see "millrace status"', { cause })
  })
  const told: unknown = await answer.json()
  if (answer.ok) return shape.parse(told)
  const { detail, errors } = problemShape.parse(told)
  const where = errors.map((error) => `; ${error.pointer} ${error.detail}`).join('')
  throw new MillraceError('stack.failed', `${detail}${where}`)
}
