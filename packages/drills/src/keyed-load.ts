/** Events with keys at a rate, each written down before it is sent and sent again until it is acknowledged. */
import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { EventPost, PostOutcome } from '@millrace/ledger/event-post'
import type { Ledger } from '@millrace/ledger/ledger'
import { backoffMs, leftOf, outcomesOf } from '@millrace/ledger/outcome'
import { pacer } from '@millrace/ledger/pacer'

export type KeyedLoad = {
  /** Any of them serves any request: each attempt of a batch goes to another. */
  readonly posts: readonly EventPost[]
  readonly eventType: string
  readonly source: string
  readonly eventsPerSecond: number
  readonly ledger: Ledger
  /** Told when events were acknowledged that took so long since they were first sent, at `performance.now()`. */
  readonly onAcknowledged: (events: number, tookMs: number, atMs: number) => void
}

/** SQL for the key of an event by its id, for the ledger's checks. */
export const keyOfId = `regexp_replace(id, '-\\d+$', '')`

type Event = { readonly id: string; readonly data: string; readonly text: string }

/**
 * A lane has its own keys and one request under way, with one event of each key: so a key has one event under way, unless one was given up
 * that a gateway still has.
 */
export const lanes = 48
const keysPerLane = 20
/** How long an event is sent again and again before it is left unconfirmed. */
const confirmDeadlineMs = 60_000

const nobody: PostOutcome = { kind: 'unconfirmed', detail: 'there is no gateway', retryAfterMs: undefined }

/** Sends until `signal` is aborted, and then until everything that was sent is acknowledged or given up. */
export async function runKeyedLoad(load: KeyedLoad, signal: AbortSignal): Promise<void> {
  const turn = pacer(load.eventsPerSecond)
  const running = Array.from({ length: lanes }, (_, lane) => runLane(load, lane, turn, signal))
  // All of them have ended when this fails: nobody writes into the ledger any more.
  await Promise.allSettled(running)
  await Promise.all(running)
}

async function runLane(
  load: KeyedLoad,
  lane: number,
  turn: ReturnType<typeof pacer>,
  signal: AbortSignal,
): Promise<void> {
  for (let round = 0; !signal.aborted; round += 1) {
    await turn(keysPerLane, signal)
    if (isAborted(signal)) return
    const events = Array.from({ length: keysPerLane }, (_, key) => eventOf(load, `${lane}-${key}`, round))
    await sendUntilAcknowledged(load, lane, round, events)
  }
}

/** A call, since the state of a signal changes while others run. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

function eventOf({ eventType: type, source }: KeyedLoad, key: string, round: number): Event {
  const id = `${key}-${round}` // as `keyOfId` reads it
  const data = JSON.stringify({ key, round })
  const attributes = JSON.stringify({ specversion: '1.0', id, source, type })
  return { id, data, text: `${attributes.slice(0, -1)},"data":${data}}` }
}

async function sendUntilAcknowledged(load: KeyedLoad, lane: number, round: number, events: Event[]): Promise<void> {
  const beganMs = performance.now()
  let left = events
  let askedMs: number | undefined
  for (let attempt = 0; left.length > 0 && performance.now() - beganMs < confirmDeadlineMs; attempt += 1) {
    if (attempt > 0) await delay(backoffMs(attempt - 1, askedMs))
    const request = `${lane}-${round}-${attempt}`
    const ids = left.map(({ id }) => id)
    load.ledger.sending(
      request,
      lane,
      ids,
      left.map(({ data }) => hash('sha256', data)),
    )
    const post = load.posts[(lane + attempt) % load.posts.length]
    const outcome: PostOutcome = (await post?.post(`[${left.map(({ text }) => text).join()}]`, left.length)) ?? nobody
    askedMs = outcome.kind === 'unconfirmed' ? outcome.retryAfterMs : undefined
    const outcomes = outcomesOf(left, outcome)
    load.ledger.settled(request, outcomes)
    const acknowledged = outcomes.filter(({ status }) => status === 'accepted' || status === 'duplicate').length
    if (acknowledged > 0) load.onAcknowledged(acknowledged, performance.now() - beganMs, performance.now())
    left = leftOf(left, outcomes)
  }
}
