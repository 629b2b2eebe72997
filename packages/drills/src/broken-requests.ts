/** Clients that go away in the middle: of the body that they send, or before they are answered. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { seededRandom } from '@millrace/core/random'
import type { LedgerOutcome } from '@millrace/ledger/ledger'
import { brokenOffPrefix } from './drill-checks.ts'
import { type KeyedEvent, keyedEvent, type KeyedLoad } from './keyed-load.ts'

export type BrokenRequest = {
  readonly contentType: string
  readonly body: string
  /** How much of the body is sent before the client goes away. */
  readonly sentBytes: number
  /** Whether an event may have been stored, by its place in the body. */
  readonly mayBeStored: (index: number) => boolean
}

const eventsMax = 20
const pauseMs = 50
const connectTimeoutMs = 5_000

/** A batch, or a bulk load that is taken in while it arrives, whole or cut off somewhere. `random` gives numbers from 0 up to 1. */
export function brokenRequest(events: readonly KeyedEvent[], random: () => number): BrokenRequest {
  const isWhole = random() < 0.4
  const isBulk = random() < 0.5
  const texts = events.map(({ text }) => text)
  const body = isBulk ? `${texts.join('\n')}\n` : `[${texts.join()}]`
  const bytes = Buffer.byteLength(body)
  const sentBytes = isWhole ? bytes : Math.floor(random() * bytes)
  if (!isBulk) return { contentType: 'application/cloudevents-batch+json', body, sentBytes, mayBeStored: () => isWhole }
  // A line is one when its end has come.
  const ends = texts.map((_, index) => Buffer.byteLength(texts.slice(0, index + 1).join('\n')) + 1)
  return {
    contentType: 'application/x-ndjson',
    body,
    sentBytes,
    mayBeStored: (index) => (ends[index] ?? 0) <= sentBytes,
  }
}

/** Sends such requests, each with keys of its own, until `signal` is aborted, and writes down what may have become of each event. */
export async function sendBrokenRequests(load: KeyedLoad, seed: number, signal: AbortSignal): Promise<void> {
  const random = seededRandom(seed)
  for (let number = 0; !signal.aborted; number += 1) {
    const name = `${brokenOffPrefix}${number}`
    const count = 1 + Math.floor(random() * eventsMax)
    const events = Array.from({ length: count }, (_, key) => keyedEvent(load, `${name}-${key}`, 0))
    const request = brokenRequest(events, random)
    load.ledger.sending(
      name,
      0,
      events.map(({ id }) => id),
      events.map(({ sha256 }) => sha256),
    )
    await sendAndLeave(load.gatewayUrls[number % load.gatewayUrls.length] ?? '', await load.token.current(), request)
    const outcomeOf = ({ id }: KeyedEvent, index: number): LedgerOutcome =>
      request.mayBeStored(index)
        ? { status: 'unconfirmed', id, detail: 'the client went away' }
        : { status: 'unsent', id, detail: 'the client went away before it had sent it' }
    load.ledger.settled(name, events.map(outcomeOf))
    await delay(pauseMs, undefined, { signal }).catch(() => undefined)
  }
}

async function sendAndLeave(gatewayUrl: string, token: string, request: BrokenRequest): Promise<void> {
  const { hostname, port } = new URL(gatewayUrl)
  const bytes = Buffer.from(request.body)
  const head = [
    'POST /v1/events HTTP/1.1',
    `Host: ${hostname}:${port}`,
    `Authorization: Bearer ${token}`,
    `Content-Type: ${request.contentType}`,
    `Content-Length: ${bytes.length}`,
    '\r\n',
  ].join('\r\n')
  const socket = connect({ host: hostname, port: Number(port), timeout: connectTimeoutMs })
  socket.on('timeout', () => socket.destroy())
  try {
    await once(socket, 'connect')
    const written = Promise.withResolvers<undefined>()
    socket.once('error', written.reject)
    socket.write(Buffer.concat([Buffer.from(head), bytes.subarray(0, request.sentBytes)]), () =>
      written.resolve(undefined),
    )
    await written.promise
  } catch {
    // Whoever goes away does not hear of it: what had left may be there.
  } finally {
    socket.destroy()
  }
}
