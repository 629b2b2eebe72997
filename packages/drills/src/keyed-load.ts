/** Events with keys at a rate, each written down before it is sent and sent again until it is acknowledged. */
import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { EventPost, EventResult, PostOutcome } from '@millrace/ledger/event-post'
import type { Ledger, LedgerOutcome } from '@millrace/ledger/ledger'
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

type Event = { readonly id: string; readonly data: string; readonly text: string }

/** A lane has its own keys and one request under way, with one event of each key: so a key has one event under way. */
export const lanes = 48
const keysPerLane = 20
const retryDelayMinMs = 100
const retryDelayMaxMs = 1_000
/** How long an event is sent again and again before it is left unconfirmed. */
const confirmDeadlineMs = 60_000

/** Sends until `signal` is aborted, and then until everything that was sent is acknowledged or given up. */
export async function runKeyedLoad(load: KeyedLoad, signal: AbortSignal): Promise<void> {
  const turn = pacer(load.eventsPerSecond)
  await Promise.all(Array.from({ length: lanes }, (_, lane) => runLane(load, lane, turn, signal)))
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
  const id = `${key}-${round}`
  const data = JSON.stringify({ key, round })
  const attributes = JSON.stringify({ specversion: '1.0', id, source, type })
  return { id, data, text: `${attributes.slice(0, -1)},"data":${data}}` }
}

async function sendUntilAcknowledged(load: KeyedLoad, lane: number, round: number, events: Event[]): Promise<void> {
  const beganMs = performance.now()
  let left = events
  for (let attempt = 0; left.length > 0 && performance.now() - beganMs < confirmDeadlineMs; attempt += 1) {
    if (attempt > 0) await delay(Math.min(retryDelayMaxMs, retryDelayMinMs * 2 ** attempt) * (0.5 + Math.random() / 2))
    const request = `${lane}-${round}-${attempt}`
    const ids = left.map(({ id }) => id)
    load.ledger.sending(
      request,
      lane,
      ids,
      left.map(({ data }) => hash('sha256', data)),
    )
    const post = load.posts[(lane + attempt) % load.posts.length]
    const outcome = await post?.post(`[${left.map(({ text }) => text).join()}]`, left.length)
    const outcomes = left.map((event, index) => outcomeOf(event, outcome, index))
    load.ledger.settled(request, outcomes)
    const acknowledged = outcomes.filter(({ status }) => status === 'accepted' || status === 'duplicate').length
    if (acknowledged > 0) load.onAcknowledged(acknowledged, performance.now() - beganMs, performance.now())
    left = left.filter((_, index) => outcomes[index]?.status === 'unconfirmed')
  }
}

function outcomeOf({ id, data }: Event, outcome: PostOutcome | undefined, index: number): LedgerOutcome {
  const result: EventResult | undefined = outcome?.kind === 'answered' ? outcome.results[index] : undefined
  if (result) return 'partition' in result ? { ...result, id, sha256: hash('sha256', data) } : { ...result, id }
  const detail = outcome && 'detail' in outcome ? outcome.detail : 'no answer'
  return { status: outcome?.kind === 'refused' ? 'rejected' : 'unconfirmed', id, detail }
}
