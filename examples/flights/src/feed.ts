/**
 * A feed is a source beside the flights: observations that are encoded already, posted one by one in CloudEvents' binary mode, at
 * a slow and steady rate until there are no more. One request is in flight, so the order of the topic is the order of the source.
 */
import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import type { EventType } from '@millrace/core/event-type'
import type { EventPost, SingleOutcome } from './binary-post.ts'
import { backoffMs } from '@millrace/ledger/outcome'
import type { Ledger } from '@millrace/ledger/ledger'
import type { Observation } from './observation.ts'
import { pacer } from '@millrace/ledger/pacer'

export type Feed = {
  readonly type: EventType
  readonly observations: readonly Observation[]
  readonly ledger: Ledger
  /** How many observations an earlier run has sent. */
  readonly sent: number
  /** Told after each acknowledgement how many have been sent in all. */
  readonly onSent: (sent: number) => Promise<void>
}

const observationsPerSecond = 20
const confirmDeadlineMs = 120_000

/**
 * Posts what is left of a feed until the signal is aborted.
 * @throws MillraceError 'replay.failed' when an observation is refused, or not confirmed within the deadline
 */
export async function runFeed(feed: Feed, post: EventPost['post'], signal: AbortSignal): Promise<void> {
  const turn = pacer(observationsPerSecond)
  const run = crypto.randomUUID()
  for (const [index, observation] of feed.observations.entries()) {
    if (index < feed.sent) continue
    await turn(1, signal)
    if (signal.aborted || !(await sendUntilConfirmed(feed, observation, post, `${run}/${index}`, signal))) return
    await feed.onSent(index + 1)
  }
}

async function sendUntilConfirmed(
  { type, ledger }: Feed,
  observation: Observation,
  post: EventPost['post'],
  request: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { id } = observation
  const deadlineMs = performance.now() + confirmDeadlineMs
  for (let attempt = 0; !signal.aborted; attempt++) {
    ledger.sending(request, 0, [id])
    const outcome = await post(type, observation)
    ledger.settled(request, [outcome.status === 'stored' ? storedAs(type, observation, outcome) : { ...outcome, id }])
    if (outcome.status === 'stored') return true
    if (outcome.status === 'rejected' || performance.now() > deadlineMs) throw failed(type, id, outcome)
    await delay(backoffMs(attempt), undefined, { signal }).catch(() => undefined)
  }
  return false
}

type Stored = Extract<SingleOutcome, { status: 'stored' }>

/** What must be in the topic: the bytes that were sent, behind the registry's frame. */
function storedAs({ format }: EventType, { id, body }: Observation, { partition, offset, schemaId }: Stored) {
  const frame = Buffer.alloc(format === 'protobuf' ? 6 : 5) // a zero byte, the schema's id, and in Protobuf the first message's index
  frame.writeUInt32BE(schemaId, 1)
  const sha256 = hash('sha256', Buffer.concat([frame, body]))
  return { status: 'accepted', id, partition, offset, sha256 } as const
}

function failed({ name }: EventType, id: string, { status, detail }: Exclude<SingleOutcome, Stored>): MillraceError {
  const what = status === 'rejected' ? 'refuses' : 'does not confirm'
  return new MillraceError('replay.failed', `the gateway ${what} event ${id} of ${name}, which is valid: ${detail}`)
}
