import { MillraceError } from '@millrace/core/errors'
import type { Offsets } from '@millrace/kafka/admin'
import type { Reader } from '@millrace/kafka/reader'
import type { ItemsOf } from './event-item.ts'
import type { LiveTopic } from './live-topics.ts'
import { problem, ProblemError } from './problem.ts'
import type { StreamRoom } from './stream-room.ts'
import { isCovered, type Subscription } from './subscription.ts'
import type { Turns } from './turns.ts'

export type CatchUp = {
  readonly reader: Reader
  readonly itemsOf: ItemsOf
  /** Each page of each stream waits its turn, so that a long way back holds nobody up. */
  readonly turns: Turns
  readonly room: Pick<StreamRoom, 'waitForRoom'>
}

const pageEventsMax = 500

/**
 * Reads what a subscriber does not have yet, as fast as it takes it, until it is where the live topic is; then it is live.
 * @param gone aborted when the subscriber has left
 * @throws ProblemError when the position is not in the topic, or no turn came · MillraceError when Kafka cannot be read
 */
export async function catchUp(
  { reader, itemsOf, turns, room }: CatchUp,
  live: LiveTopic,
  subscription: Subscription,
  from: Offsets,
  gone: AbortSignal,
): Promise<void> {
  let position = from
  for (let isNear = isCovered(live.next(), from); !gone.aborted; isNear = true) {
    // Far behind, more would come meanwhile than may wait.
    if (isNear) subscription.hold()
    position = await readUpTo(new Map(live.next()), position)
    if (subscription.release(live.next())) return
  }

  async function readUpTo(target: Offsets, start: Offsets): Promise<Offsets> {
    let at = start
    while (!isCovered(target, at) && !gone.aborted) {
      const page = await turns.take(async () => {
        // Whoever has the turn waits, and the others behind it: there would be no room for their pages either.
        await room.waitForRoom(gone)
        const read = await reader.readPage(live.topic, at, pageEventsMax, target)
        return read.found === 'records' ? { ...read, items: await itemsOf(read.records) } : read
      })
      if (page.found === 'nothing') throw new ProblemError(problem(400, 'the cursor is not of this topic as it is now'))
      if (page.found === 'gap') subscription.skip(page.gaps)
      else subscription.deliver(page.items, page.next)
      // Leaders that are not known yet give nothing, at once: whoever resumes finds them.
      if (isCovered(page.next, at)) throw new MillraceError('kafka.unavailable', `${live.topic} is not read on now`)
      at = page.next
      await subscription.outlet.drained()
    }
    return at
  }
}
