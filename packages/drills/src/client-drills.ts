import { retryIsRecognised } from '@millrace/ledger/delivery-checks'
import { sendBrokenRequests } from './broken-requests.ts'
import { noRequestFails, nothingIsStoredByHalves } from './drill-checks.ts'
import type { Drill } from './drill.ts'
import { repeatedPosts } from './repeated-posts.ts'

const forMs = 15_000
const recoveryBound = 'nothing: other requests are not concerned'

export const clientDrills: readonly Drill[] = [
  {
    name: 'duplicate-posts',
    says: 'every event is posted to all gateways at once, and again some seconds later: each is told the place of the first',
    recoveryBound,
    send: repeatedPosts,
    recognisedAfterMs: 1_000,
    fault: async (stage) => {
      await stage.wait(forMs)
      return [{ ...retryIsRecognised, name: 'retries-were-recognised', needsSome: true }]
    },
  },
  {
    name: 'client-disconnect',
    says: `for ${forMs / 1_000} s clients go away in the middle of a body, or before they are answered: nothing is stored by halves`,
    recoveryBound,
    fault: async (stage) => {
      const over = new AbortController()
      const broken = sendBrokenRequests(stage.load, stage.seed, AbortSignal.any([stage.signal, over.signal]))
      await Promise.all([broken, stage.wait(forMs).finally(() => over.abort())])
      return [noRequestFails, nothingIsStoredByHalves]
    },
  },
]
