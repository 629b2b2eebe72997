/** From a submitted event to an outcome: checks, then storage, once. Only what is on all in-sync replicas is accepted. */
import type { CatalogEntry } from '@millrace/core/catalog'
import { isTime, type Violation } from '@millrace/core/cloud-event'
import { MillraceError } from '@millrace/core/errors'
import { type JsonValue, valueAt } from '@millrace/core/json'
import { contentTypes, eventTimeIn, recordHeaders } from '@millrace/core/kafka-binding'
import type { OutgoingRecord, Producer } from '@millrace/kafka/producer'
import type { Identity } from './authentication.ts'
import { DeadLettered, type DeadLetters } from './dead-lettering.ts'
import type { EventTypes } from './event-types.ts'
import { type Claim, fingerprintOf, type Identities, type Place } from './identities.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { Payload, Payloads, Taken } from './payloads.ts'
import { type Problem, problem } from './problem.ts'
import { idOf, readSubmission, type Rejected, rejected, type Submission, type Submitted } from './submission.ts'
import { nextHop, type Trace, traceOf } from './trace-context.ts'

export type Receipt = {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly status: 'accepted' | 'duplicate'
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: string
  readonly schemaId: number
}

export type Outcome =
  | { readonly status: 'accepted' | 'duplicate'; readonly receipt: Receipt }
  | Rejected
  | { readonly status: 'unconfirmed'; readonly id: string | null; readonly problem: Problem }

export type Ingest = {
  /** Takes one event in. Always ends, within `deadlineMs`, and never throws: what goes wrong is the outcome of this event alone. */
  readonly accept: (submitted: Submitted, identity: Identity, trace: Trace | undefined) => Promise<Outcome>
  /** Refuses an event without a look at what it is. */
  readonly refuse: (submitted: Submitted | undefined, told: Problem) => Outcome
  /** Says of an event that there was no time for it. */
  readonly giveUp: (submitted: Submitted | undefined) => Outcome
}

export type IngestParts = {
  readonly eventTypes: EventTypes
  readonly payloads: Payloads
  readonly identities: Identities
  readonly producer: Pick<Producer, 'send'>
  readonly deadLetters: DeadLetters
  readonly registryUrl: string
  readonly metrics: GatewayMetrics
  /** Told of what should not happen. */
  readonly onFault: (error: unknown) => void
}

/** Longer than a producer gives a record to be delivered, and shorter than a gateway that is told to stop waits for requests. */
const deadlineMs = 11_000
/** What a producer gives a record. */
const deliveryMsMax = 10_000

type First = Extract<Claim, { kind: 'first' }>
type Checked = Submission & { readonly taken: Extract<Taken, { ok: true }>; readonly key: Buffer | undefined }

export function createIngest(parts: IngestParts): Ingest {
  const { eventTypes, payloads, identities, producer, registryUrl, metrics } = parts
  const count = (outcome: Outcome, type?: string): Outcome => {
    if (outcome.status === 'rejected') metrics.rejected.inc({ reason: String(outcome.problem.status) })
    else if (outcome.status === 'unconfirmed') metrics.unconfirmed.inc({ type: type ?? '' })
    else if (outcome.status === 'duplicate') metrics.duplicates.inc({ type: outcome.receipt.type })
    else metrics.accepted.inc({ type: outcome.receipt.type })
    return outcome
  }

  const accept: Ingest['accept'] = async (submitted, identity, trace) => {
    const expiresAt = performance.now() + deadlineMs
    let submission: Submission | Rejected | undefined
    try {
      submission = readSubmission(submitted, identity, eventTypes)
      if ('problem' in submission) return count(submission)
      const taking = payloads.take(submission.entry, submission.payload)
      const taken = taking instanceof Promise ? await before(expiresAt, taking) : taking
      const checked = check(submission, taken)
      if ('problem' in checked) return count(checked)
      return count(await store(checked, trace, expiresAt), checked.context.type)
    } catch (error) {
      const context = submission && 'context' in submission ? submission.context : undefined
      return count(failure(error, context?.id ?? idOf(submitted), parts.onFault), context?.type)
    }
  }

  /** An event whose id was filled in here can be sent twice too: whoever is told that it is not confirmed is told its id. */
  const store = (checked: Checked, trace: Trace | undefined, expiresAt: number): Outcome | Promise<Outcome> => {
    const { context, given, taken, payload } = checked
    const fingerprint = fingerprintOf(context, given, sentBytes(checked.entry, payload, taken))
    return storeOnce(checked, recordOf(checked, trace, fingerprint), fingerprint, expiresAt)
  }

  const storeOnce = (
    checked: Checked,
    record: OutgoingRecord,
    fingerprint: string,
    expiresAt: number,
  ): Outcome | Promise<Outcome> => {
    const { source, id } = checked.context
    const claim = identities.claim({ source, id, fingerprint })
    if (claim.kind === 'first') return inTime(expiresAt, send(checked, record, claim, expiresAt))
    if (claim.kind === 'known') return claim.same ? receiptOf('duplicate', checked, claim.place) : conflict(checked)
    // What fails the first is the answer to all who waited for it: were they sent one after another, each would wait for all before.
    const next = claim.ended().then(
      () => storeOnce(checked, record, fingerprint, expiresAt),
      (error: unknown) => {
        throw claim.same ? error : new Overtaken()
      },
    )
    return before(expiresAt, next)
  }

  const send = async (checked: Checked, record: OutgoingRecord, claim: First, expiresAt: number): Promise<Outcome> => {
    const startedAt = performance.now()
    try {
      const { partition, offset } = await producer.send(record)
      metrics.produceDuration.observe((performance.now() - startedAt) / 1_000)
      const { topic, timestampMs } = record
      const place = { topic, partition, offset: Number(offset), timestampMs, schemaId: checked.taken.schemaId }
      claim.stored(place)
      return receiptOf('accepted', checked, place)
    } catch (cause) {
      const error = await before(expiresAt, parts.deadLetters.keep(checked.entry, record, cause)).catch(() => cause)
      claim.failed(error)
      throw error
    }
  }

  const recordOf = (checked: Checked, trace: Trace | undefined, fingerprint: string): OutgoingRecord => {
    const { context, entry, taken, key } = checked
    const carried = traceOf(context.attributes) ?? trace
    const headers = recordHeaders(context, {
      ...{ fingerprint, trace: carried && nextHop(carried) },
      schemaUrl: `${registryUrl}/schemas/ids/${taken.schemaId}`,
      contentType: contentTypes[entry.format],
      eventTime: eventTimeIn(taken.data, entry.time),
    })
    return { topic: entry.topic, key, value: taken.value, headers, timestampMs: Date.now() }
  }

  return {
    accept,
    refuse: (submitted, told) => count(rejected(submitted ? idOf(submitted) : null, told)),
    giveUp: (submitted) => count(late(submitted ? idOf(submitted) : null)),
  }
}

/** What the data itself says where it belongs. */
function check(submission: Submission, taken: Taken): Checked | Rejected {
  const { context, entry } = submission
  if (!taken.ok) return rejected(context.id, taken.problem)
  const misplaced = misplacement(entry, taken.data)
  if (misplaced) return rejected(context.id, problem(422, 'the key or the time is none', { errors: [misplaced] }))
  const key = entry.key === null ? undefined : valueAt(taken.data, entry.key)
  return { ...submission, taken, key: isScalar(key) ? Buffer.from(String(key)) : undefined }
}

function isScalar(value: JsonValue | undefined): value is string | number | boolean {
  return value !== undefined && value !== null && typeof value !== 'object'
}

/** What stands where the key or the time of an event is read from, and is none. */
export function misplacement({ key, time }: CatalogEntry, data: JsonValue): Violation | undefined {
  const keyed = key === null ? undefined : valueAt(data, key)
  if (key !== null && typeof keyed === 'object' && keyed !== null) {
    return { pointer: key, detail: 'is the record key, so it must be a scalar' }
  }
  const timed = time === null ? undefined : valueAt(data, time)
  if (time !== null && typeof timed === 'string' && !isTime(timed)) {
    return { pointer: time, detail: 'is the event time, so it must be an RFC 3339 time' }
  }
  return undefined
}

/** The data as its producer sent it, to tell a retry by. JSON counts without its spaces. */
function sentBytes({ format }: CatalogEntry, payload: Payload, taken: Checked['taken']): Buffer {
  if (format === 'json') return taken.value
  return 'data' in payload ? Buffer.from(JSON.stringify(payload.data)) : payload.bytes
}

function receiptOf(status: Receipt['status'], { context }: Checked, place: Place): Outcome {
  const { id, source, type } = context
  const { topic, partition, offset, timestampMs, schemaId } = place
  return {
    status,
    receipt: { id, source, type, status, topic, partition, offset, timestamp: timeText(timestampMs), schemaId },
  }
}

let lastTime = { ms: 0, text: new Date(0).toISOString() }

/** Events that come together share a millisecond, so that its text is made once. */
function timeText(ms: number): string {
  if (lastTime.ms !== ms) lastTime = { ms, text: new Date(ms).toISOString() }
  return lastTime.text
}

function conflict({ context }: Checked): Rejected {
  const { source, id } = context
  return rejected(id, problem(409, `${source} has sent another event with the id "${id}"`))
}

class Late extends Error {}
/** Another event of the same identity was under way, and was not stored. */
class Overtaken extends Error {}

/** What took long to be checked has less time left than the producer takes. */
function inTime<T>(expiresAt: number, sending: Promise<T>): Promise<T> {
  return performance.now() + deliveryMsMax > expiresAt ? before(expiresAt, sending) : sending
}

/** Waits for what may take long, up to the deadline of the event. */
async function before<T>(expiresAt: number, work: Promise<T>): Promise<T> {
  const deadline = Promise.withResolvers<never>()
  const timer = setTimeout(() => deadline.reject(new Late()), Math.max(0, expiresAt - performance.now()))
  try {
    return await Promise.race([work, deadline.promise])
  } finally {
    clearTimeout(timer)
  }
}

function failure(error: unknown, id: string | null, onFault: (error: unknown) => void): Outcome {
  if (error instanceof Late) return late(id)
  if (error instanceof DeadLettered) return deadLettered(id, error)
  if (error instanceof Overtaken) return unconfirmed(id, 'another with its source and id was under way, and failed')
  if (error instanceof MillraceError && error.code === 'kafka.too-large') {
    return rejected(id, problem(413, error.message))
  }
  // What the registry says of us, and not of the event (wrong credentials, an answer that is none), may be otherwise the next time.
  const isOurs = error instanceof MillraceError && /^(kafka|registry)\./.test(error.code)
  if (error instanceof MillraceError && (error.retryable || isOurs)) {
    return unconfirmed(id, error.message)
  }
  onFault(error)
  return rejected(id, problem(500, 'something went wrong here: the log has it'))
}

function late(id: string | null): Outcome {
  return unconfirmed(id, 'there was no time for it')
}

function deadLettered(id: string | null, { message, place }: DeadLettered): Outcome {
  const told = `not stored (${message}), but kept as a dead letter: when what it says is mended replay it, or send it again with the same source and id`
  return { status: 'unconfirmed', id, problem: problem(503, told, { ...(id !== null && { id }), deadLetter: place }) }
}

function unconfirmed(id: string | null, reason: string): Outcome {
  const told = `not confirmed (${reason}): send it again with the same source and id`
  return { status: 'unconfirmed', id, problem: problem(503, told, id === null ? {} : { id }) }
}
