/**
 * Recognises events that were sent before. An event's identity is its `source` and `id`; what it must have in common with the first is its
 * fingerprint: the type and all that the producer sent. While the first of an identity is on its way to Kafka, others of it wait,
 * so that an instance never writes one twice; what other instances wrote is learnt from the topics.
 */
import { hash, randomBytes } from 'node:crypto'
import type { EventContext, Given } from '@millrace/core/cloud-event'
import { createIdentityTable, type Place } from './identity-table.ts'

export type { Place } from './identity-table.ts'

/** A producer's identity of an event, and a hash of what it sent under it: 32 hexadecimal digits. */
export type Sent = { readonly source: string; readonly id: string; readonly fingerprint: string }

export type Claim =
  /** Nobody sent it before: whoever has this claim writes it, and must say how that ended. */
  | { readonly kind: 'first'; readonly stored: (place: Place) => void; readonly failed: (error: unknown) => void }
  /** `ended` rejects with what the first failed with; `same` says whether it was sent with the same content. */
  | { readonly kind: 'under way'; readonly same: boolean; readonly ended: () => Promise<unknown> }
  | { readonly kind: 'known'; readonly place: Place; readonly same: boolean }

export type Identities = {
  readonly claim: (sent: Sent) => Claim
  /** Takes what a record says. The earliest record of an identity is its first, on every instance. */
  readonly learn: (sent: Sent, place: Place) => void
  readonly size: () => number
}

export type IdentitiesOptions = {
  /** How many identities are known at most: the oldest make room. */
  readonly identitiesMax: number
  /** How long an identity is known after it was stored. */
  readonly windowMs: number
}

export function createIdentities({ identitiesMax, windowMs }: IdentitiesOptions): Identities {
  const table = createIdentityTable(identitiesMax)
  const underWay = new Map<string, Flight>()
  // Nobody can choose identities that crowd one part of the table.
  const salt = randomBytes(8).toString('hex')
  const keyOf = ({ source, id }: Sent) =>
    hash('sha256', `${salt}${source.length} ${source}${id}`, 'binary').slice(0, 16)

  const known = (key: string): Place | undefined => {
    const place = table.find(key)
    return place && place.timestampMs >= Date.now() - windowMs ? place : undefined
  }

  const first = (key: string, fingerprint: string): Claim => {
    const flight: Flight = { fingerprint, ended: undefined }
    underWay.set(key, flight)
    const land = () => {
      if (underWay.get(key) === flight) underWay.delete(key)
    }
    return {
      kind: 'first',
      stored: (place) => {
        learn(key, fingerprint, place)
        land()
        flight.ended?.resolve(undefined)
      },
      failed: (error) => {
        land()
        flight.ended?.reject(error)
      },
    }
  }

  const learn = (key: string, fingerprint: string, place: Place): void => {
    const before = table.find(key)
    const stale = before && before.timestampMs < place.timestampMs - windowMs
    if (!before || stale || isEarlier(place, before)) table.put(key, fingerprint, place)
  }

  return {
    claim: (sent) => {
      const key = keyOf(sent)
      const place = known(key)
      if (place) return { kind: 'known', place, same: table.has(key, sent.fingerprint) }
      const flight = underWay.get(key)
      if (!flight) return first(key, sent.fingerprint)
      return { kind: 'under way', same: flight.fingerprint === sent.fingerprint, ended: () => endOf(flight) }
    },
    learn: (sent, place) => learn(keyOf(sent), sent.fingerprint, place),
    size: table.size,
  }
}

/** The first of an identity on its way. Mostly nobody waits for it. */
type Flight = { readonly fingerprint: string; ended: PromiseWithResolvers<undefined> | undefined }

function endOf(flight: Flight): Promise<undefined> {
  flight.ended ??= Promise.withResolvers<undefined>()
  return flight.ended.promise
}

/** One order for all instances, whatever they read first. */
function isEarlier(one: Place, other: Place): boolean {
  if (one.timestampMs !== other.timestampMs) return one.timestampMs < other.timestampMs
  return one.partition === other.partition ? one.offset < other.offset : one.partition < other.partition
}

/** What a producer need not repeat in a retry: the trace of the request, and what the mode of sending decides. */
const passing = new Set(['traceparent', 'tracestate', 'datacontenttype'])

/**
 * The fingerprint of what a producer sent: its type, its attributes without those that were filled in, its data. JSON counts as what it
 * says, without spaces, but its members in the order in which they came.
 */
export function fingerprintOf({ type, time, attributes }: EventContext, given: Given, data: Buffer): string {
  const others: string[] = []
  for (const name in attributes) if (!passing.has(name)) others.push(name)
  if (others.length > 1) others.sort()
  const said = JSON.stringify([type, given.time ? time : null, ...others.flatMap((name) => [name, attributes[name]])])
  // Every byte is a character of its own here, so nothing is lost.
  return hash('sha256', `${said}\n${data.toString('latin1')}`, 'hex').slice(0, 32)
}
