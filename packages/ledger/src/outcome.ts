/** From what the gateway answered to what the ledger says, and how long to wait before it is asked again. */
import type { EventResult, PostOutcome } from './event-post.ts'
import type { LedgerOutcome } from './ledger.ts'

const backoffMinMs = 100
const backoffMaxMs = 5_000

/** What became of each event of a request, in its order; `sha256` is that of its data, as it was sent. */
export function outcomesOf(
  events: readonly { readonly id: string; readonly sha256: string }[],
  outcome: PostOutcome,
): LedgerOutcome[] {
  const results = resultsOf(outcome, events.length)
  return events.map(({ id, sha256 }, index) => {
    const result = results[index]
    if (!result) return { status: 'unconfirmed', id, detail: 'the answer does not name it' }
    return 'partition' in result ? { ...result, id, sha256 } : { ...result, id }
  })
}

function resultsOf(outcome: PostOutcome, events: number): readonly EventResult[] {
  if (outcome.kind === 'answered') return outcome.results
  const status = outcome.kind === 'refused' ? 'rejected' : outcome.kind
  return Array.from({ length: events }, () => ({ status, detail: outcome.detail }))
}

/** Those of the events of a request that have to be sent again. */
export function leftOf<T>(events: readonly T[], outcomes: readonly LedgerOutcome[]): T[] {
  return events.filter((_, index) => outcomes[index]?.status === 'unconfirmed' || outcomes[index]?.status === 'unsent')
}

/** Exponential with jitter, and never sooner than the gateway asked for. */
export function backoffMs(attempt: number, askedMs = 0): number {
  const capMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** attempt)
  return Math.max(askedMs, capMs / 2 + (Math.random() * capMs) / 2)
}
