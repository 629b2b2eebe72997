/** What the platform says of itself: `GET /v1/ledger`. */
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import type { AccessToken } from '@millrace/ledger/access-token'
import * as z from 'zod'

const readerShape = z.object({
  ...{ reader: z.string(), processed: z.int(), filtered: z.int(), late: z.int(), deadLettered: z.int() },
  ...{ inFlight: z.int().nullable(), unaccounted: z.int().nullable() },
})
const ledgerShape = z.object({
  types: z.array(z.object({ topic: z.string(), accepted: z.int(), readers: z.array(readerShape) })),
})

/** What is said of a reader of a topic. */
export type AccountingRow = z.output<typeof readerShape> & { readonly topic: string; readonly accepted: number }

/** Readers tell of an event some seconds after they are done with it, and the accounting is written down every two seconds. */
const timeoutMs = 30_000
const lookMs = 1_000
const requestTimeoutMs = 10_000

/**
 * The accounting, once nothing is in flight at any reader; or, when it does not come to that in time, as it is.
 * @throws MillraceError 'verdict.failed' when the gateway does not tell
 */
export async function readAccounting(
  gatewayUrl: string,
  token: AccessToken,
  signal: AbortSignal,
): Promise<AccountingRow[]> {
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    const rows = await rowsOf(gatewayUrl, token)
    const isSettled = rows.every(({ inFlight, unaccounted }) => !inFlight && !unaccounted)
    if (isSettled || performance.now() > deadlineMs) return rows
    await delay(lookMs, undefined, { signal })
  }
}

async function rowsOf(gatewayUrl: string, token: AccessToken): Promise<AccountingRow[]> {
  try {
    const answer = await fetch(`${gatewayUrl}/v1/ledger?limit=1`, {
      headers: { authorization: `Bearer ${await token.current()}` },
      signal: AbortSignal.timeout(requestTimeoutMs),
    })
    const { types } = ledgerShape.parse(await answer.json())
    return types.flatMap(({ topic, accepted, readers }) => readers.map((reader) => ({ ...reader, topic, accepted })))
  } catch (cause) {
    throw new MillraceError('verdict.failed', 'the gateway does not tell what it has accounted for', { cause })
  }
}
