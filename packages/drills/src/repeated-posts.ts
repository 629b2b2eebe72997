/** Every event goes to all gateways at once, and again to one of them when it was stored for some seconds. */
import { attemptBatch, type Batch, type KeyedLoad, type SendBatch, sendUntilAcknowledged } from './keyed-load.ts'

/** By then every gateway must have read it: it has a second from when it can be read. */
const againAfterMs = 3_000

type Sent = { readonly batch: Batch; readonly atMs: number }

/** A way to send that keeps, for each lane, what is to be sent again: as many batches as a lane sends in some seconds. */
export function repeatedPosts(): SendBatch {
  const sent = new Map<number, Sent[]>()
  return async (load, batch) => {
    const queue = sent.get(batch.lane) ?? []
    sent.set(batch.lane, queue)
    while (queue[0] && performance.now() - queue[0].atMs > againAfterMs) await sendAgain(load, queue)
    await Promise.all(
      load.posts.map((_, gateway) =>
        // Counted once.
        sendUntilAcknowledged(gateway === 0 ? load : silent(load), named(batch, gateway), gateway),
      ),
    )
    queue.push({ batch, atMs: performance.now() })
  }
}

async function sendAgain(load: KeyedLoad, queue: Sent[]): Promise<void> {
  const again = queue.shift()
  if (again) await attemptBatch(load, { ...again.batch, name: `${again.batch.name}-again` }, 0, again.batch.lane)
}

function silent(load: KeyedLoad): KeyedLoad {
  return { ...load, onAcknowledged: () => undefined }
}

function named(batch: Batch, gateway: number): Batch {
  return { ...batch, name: `${batch.name}-at-${gateway}` }
}
