/** Events with keys at a rate, each written down before it is sent and sent again until it is acknowledged. */
import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/core/errors'
import type { AccessToken } from '@millrace/ledger/access-token'
import type { EventPost, PostOutcome } from '@millrace/ledger/event-post'
import type { Ledger } from '@millrace/ledger/ledger'
import { backoffMs, leftOf, outcomesOf } from '@millrace/ledger/outcome'
import { isAborted, pacer } from '@millrace/ledger/pacer'

/** Told when events were acknowledged that took so long since they were first sent, at `performance.now()`. */
export type OnAcknowledged = (events: number, tookMs: number, atMs: number) => void

export type KeyedLoad = {
  readonly gatewayUrls: readonly string[]
  /** One for each gateway. Any of them serves any request: each attempt of a batch goes to another. */
  readonly posts: readonly EventPost[]
  /** What `posts` send with. */
  readonly token: AccessToken
  readonly eventType: string
  readonly source: string
  readonly eventsPerSecond: number
  /** How many keys a lane has: it sends one event of each at a time. */
  readonly eventsPerBatch: number
  readonly ledger: Ledger
  readonly onAcknowledged: OnAcknowledged
}

/** SQL for the key of an event by its id, for the ledger's checks. */
export const keyOfId = `regexp_replace(id, '-\\d+$', '')`

/** `id` is the key and the round, as `keyOfId` reads it; `text` is the whole event. */
export type KeyedEvent = { readonly id: string; readonly data: string; readonly sha256: string; readonly text: string }

/** What a lane sends at a time: one event of each of its keys. `name` is in no other batch's. */
export type Batch = { readonly lane: number; readonly name: string; readonly events: readonly KeyedEvent[] }

/** Sends a batch, to one gateway first where that is said; a key has one event under way at a time, so the lane goes on when that is over. */
export type SendBatch = (load: KeyedLoad, batch: Batch, firstGateway?: number) => Promise<void>

/**
 * A lane has its own keys and one batch under way, with one event of each key: so a key has one event under way, unless one was given up
 * that a gateway still has.
 */
export const lanes = 48
/** Below it half a second, in which recovery is counted, has too few answers to tell how slow they are. */
const eventsPerSecondMin = 100
/** How long an event is sent again and again before it is left unconfirmed. */
const confirmDeadlineMs = 60_000

/** @throws MillraceError 'config.invalid' for a rate at which a drill would tell too little */
export function requireRate(eventsPerSecond: number): void {
  if (eventsPerSecond >= eventsPerSecondMin) return
  throw new MillraceError('config.invalid', `a drill takes ${eventsPerSecondMin} events per second at least`)
}

/** Sends until `signal` is aborted, and then until everything that was sent is acknowledged or given up. */
export async function runKeyedLoad(load: KeyedLoad, send: SendBatch, signal: AbortSignal): Promise<void> {
  const turn = pacer(load.eventsPerSecond)
  const running = Array.from({ length: lanes }, (_, lane) => runLane(load, send, lane, turn, signal))
  // All of them have ended when this fails: nobody writes into the ledger any more.
  await Promise.allSettled(running)
  await Promise.all(running)
}

async function runLane(
  load: KeyedLoad,
  send: SendBatch,
  lane: number,
  turn: ReturnType<typeof pacer>,
  signal: AbortSignal,
): Promise<void> {
  for (let round = 0; !signal.aborted; round += 1) {
    await turn(load.eventsPerBatch, signal)
    if (isAborted(signal)) return
    const events = Array.from({ length: load.eventsPerBatch }, (_, key) => keyedEvent(load, `${lane}-${key}`, round))
    await send(load, { lane, name: `${lane}-${round}`, events })
  }
}

/** The event of a key in a round. */
export function keyedEvent(
  { eventType: type, source }: Pick<KeyedLoad, 'eventType' | 'source'>,
  key: string,
  round: number,
): KeyedEvent {
  const id = `${key}-${round}`
  const data = JSON.stringify({ key, round })
  const attributes = JSON.stringify({ specversion: '1.0', id, source, type })
  return { id, data, sha256: hash('sha256', data), text: `${attributes.slice(0, -1)},"data":${data}}` }
}

/** To one gateway after the other, until every event is acknowledged, refused, or given up. */
export const sendUntilAcknowledged: SendBatch = async (load, batch, firstGateway = batch.lane) => {
  const beganMs = performance.now()
  let left = batch.events
  let refusals = 0
  for (let attempt = 0; left.length > 0 && performance.now() - beganMs < confirmDeadlineMs; attempt += 1) {
    const { outcome, acknowledged, still } = await attemptBatch(
      load,
      { ...batch, events: left },
      attempt,
      firstGateway + attempt,
    )
    if (acknowledged > 0) load.onAcknowledged(acknowledged, performance.now() - beganMs, performance.now())
    left = still
    // Where nobody takes connections another gateway is asked at once, as a balancer would.
    refusals = outcome.kind === 'unsent' ? refusals + 1 : 0
    const isToWait = left.length > 0 && refusals % load.posts.length === 0
    if (isToWait) await delay(backoffMs(attempt, outcome.kind === 'unconfirmed' ? outcome.retryAfterMs : undefined))
  }
}

export type Attempted = {
  readonly outcome: PostOutcome
  readonly acknowledged: number
  /** What has to be sent again. */
  readonly still: readonly KeyedEvent[]
}

/** Sends a batch once, to one of the gateways (they are counted round and round), and writes down that and what it answered. */
export async function attemptBatch(
  load: KeyedLoad,
  batch: Batch,
  attempt: number,
  gateway: number,
): Promise<Attempted> {
  const { lane, name, events } = batch
  const request = `${name}-${attempt}`
  load.ledger.sending(
    request,
    lane,
    events.map(({ id }) => id),
    events.map(({ sha256 }) => sha256),
  )
  const post = load.posts[gateway % load.posts.length]
  if (!post) throw new RangeError('there is no gateway')
  const outcome = await post.post(`[${events.map(({ text }) => text).join()}]`, events.length)
  const outcomes = outcomesOf(events, outcome)
  load.ledger.settled(request, outcomes)
  const acknowledged = outcomes.filter(({ status }) => status === 'accepted' || status === 'duplicate').length
  return { outcome, acknowledged, still: leftOf(events, outcomes) }
}
