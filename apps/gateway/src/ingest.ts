/** From a parsed body to an outcome: envelope, scope, look-up, validation, storage. Only what is on all in-sync replicas is accepted. */
import { randomUUID } from 'node:crypto'
import type { CatalogEntry } from '@millrace/core/catalog'
import { type CloudEvent, parseStructuredEvent } from '@millrace/core/cloud-event'
import { MillraceError } from '@millrace/core/errors'
import { isJsonObject, valueAt } from '@millrace/core/json'
import { recordHeaders } from '@millrace/core/kafka-binding'
import type { Producer } from '@millrace/kafka/producer'
import { allows, type Identity } from './authentication.ts'
import type { EventTypes } from './event-types.ts'
import { jsonViolation } from './json-body.ts'
import type { GatewayMetrics } from './metrics.ts'
import { type Problem, problem } from './problem.ts'

export type Receipt = {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly status: 'accepted'
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: string
  readonly schemaId: number
}

/** `id` is null where the event has none and was refused before it could be given one. */
type Rejected = { readonly status: 'rejected'; readonly id: string | null; readonly problem: Problem }

export type Outcome =
  | { readonly status: 'accepted'; readonly receipt: Receipt }
  | Rejected
  | { readonly status: 'unconfirmed'; readonly id: string; readonly problem: Problem }

export type Ingest = {
  /** Takes one event in, as a parsed JSON value in CloudEvents' structured form. `trace` are the W3C trace context headers. */
  readonly accept: (value: unknown, identity: Identity, trace: ReadonlyMap<string, string>) => Promise<Outcome>
  /** Refuses an event without a look at what it is. */
  readonly refuse: (value: unknown, told: Problem) => Outcome
}

type Checked =
  | {
      readonly ok: true
      readonly event: CloudEvent
      readonly entry: CatalogEntry
      readonly key: string | undefined
      readonly stored: Buffer
    }
  | { readonly ok: false; readonly rejected: Rejected }

const defaults = { id: () => randomUUID(), time: () => new Date().toISOString() }

export function createIngest(
  eventTypes: EventTypes,
  producer: Producer,
  registryUrl: string,
  metrics: GatewayMetrics,
): Ingest {
  const counted = (rejected: Rejected): Rejected => {
    metrics.rejected.inc({ reason: String(rejected.problem.status) })
    return rejected
  }
  const accept: Ingest['accept'] = async (value, identity, trace) => {
    const checked = check(value, identity, eventTypes)
    if (!checked.ok) return counted(checked.rejected)
    const { event, entry, key, stored } = checked
    const timestampMs = Date.now()
    const record = {
      topic: entry.topic,
      key: key === undefined ? undefined : Buffer.from(key),
      value: stored,
      headers: recordHeaders(event, `${registryUrl}/schemas/ids/${entry.schemaId}`, trace),
      timestampMs,
    }
    const startedAt = performance.now()
    try {
      const { partition, offset } = await producer.send(record)
      metrics.produceDuration.observe((performance.now() - startedAt) / 1_000)
      metrics.accepted.inc({ type: event.type })
      const { id, source, type } = event
      const timestamp = new Date(timestampMs).toISOString()
      const where = { topic: entry.topic, partition, offset: Number(offset), timestamp, schemaId: entry.schemaId }
      return { status: 'accepted', receipt: { id, source, type, status: 'accepted', ...where } }
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'kafka.too-large') {
        return counted({ status: 'rejected', id: event.id, problem: problem(413, error.message) })
      }
      metrics.unconfirmed.inc({ type: event.type })
      return { status: 'unconfirmed', id: event.id, problem: unconfirmed(error, event) }
    }
  }
  return {
    accept,
    refuse: (value, told) => counted({ status: 'rejected', id: idOf(value), problem: told }),
  }
}

function check(value: unknown, identity: Identity, eventTypes: EventTypes): Checked {
  const unstorable = jsonViolation(value)
  if (unstorable)
    return refused(idOf(value), problem(400, 'the event cannot be kept as it is', { errors: [unstorable] }))
  const parsed = parseStructuredEvent(value, defaults)
  if (!parsed.ok) {
    return refused(idOf(value), problem(400, 'this is not a CloudEvent', { errors: parsed.violations }))
  }
  const { event } = parsed
  if (!allows(identity, 'events:write', event.type)) {
    return refused(event.id, problem(403, `the token lacks the scope events:write:${event.type}`))
  }
  const entry = eventTypes.find(event.type)
  if (!entry) return refused(event.id, problem(404, `there is no event type "${event.type}"`))
  const coded = eventTypes.codec(entry).fromJson(event.data)
  if (!coded.ok) {
    const errors = coded.violations
    return refused(event.id, problem(422, `the data does not fit the schema of ${event.type}`, { errors }))
  }
  const key = entry.key === null ? undefined : valueAt(coded.data, entry.key)
  if (typeof key === 'object' && key !== null) {
    const errors = [{ pointer: entry.key ?? '', detail: 'is the record key, so it must be a scalar' }] as const
    return refused(event.id, problem(422, 'the key is not a scalar', { errors }))
  }
  return {
    ok: true,
    event,
    entry,
    stored: coded.value,
    key: key === undefined || key === null ? undefined : String(key),
  }
}

function refused(id: string | null, told: Problem): Checked {
  return { ok: false, rejected: { status: 'rejected', id, problem: told } }
}

/** The id that a producer gave to what may be no event at all. */
function idOf(value: unknown): string | null {
  return isJsonObject(value) && typeof value['id'] === 'string' ? value['id'] : null
}

function unconfirmed(error: unknown, { id }: CloudEvent): Problem {
  const reason = error instanceof MillraceError ? error.message : 'an unexpected error'
  return problem(503, `not confirmed (${reason}): send it again with the same source and id`, { id })
}
