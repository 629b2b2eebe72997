/** Records with keys at a rate, whatever is still unanswered: each is written down before it is sent, and so is what became of it. */
import { keyedEvent, type KeyedEvent } from '@millrace/drills/keyed-load'
import type { Ledger } from '@millrace/ledger/ledger'
import { isAborted, pacer } from '@millrace/ledger/pacer'
import type { Client, KeyedRecord, Place } from './client.ts'

export type SendingLoad = {
  readonly client: Client
  readonly ledger: Ledger
  readonly topic: string
  /** The CloudEvents source of what is sent. */
  readonly source: string
  readonly recordsPerSecond: number
}

/** Each send has one record of each of the keys of a group; the groups take turns. */
const keyGroups = 48
const recordsPerSend = 20
/** Past it nothing is sent: somebody upstream would have to wait. */
const underWayMax = 2_000
/** After this time a record counts as never answered. Faults are over and healed sooner than that. */
export const answerDeadlineMs = 30_000

/**
 * Sends until `signal` is aborted, and then waits until every record is answered or its time is over. A record that failed is not sent again:
 * it may be stored, once. One that is not answered stays so in the ledger.
 * @param onAcknowledged called at each acknowledgement
 */
export async function sendRecords(load: SendingLoad, onAcknowledged: () => void, signal: AbortSignal): Promise<void> {
  const { client, ledger, recordsPerSecond } = load
  const turn = pacer(recordsPerSecond)
  const answers = new Set<Promise<void>>()
  let onRoom: () => void = () => undefined
  for (let number = 0; !isAborted(signal); number += 1) {
    await turn(recordsPerSend, signal)
    while (answers.size > underWayMax - recordsPerSend) await new Promise<void>((resolve) => (onRoom = resolve))
    if (isAborted(signal)) break
    const request = String(number)
    const events = eventsOf(load, number)
    ledger.sending(
      request,
      number % keyGroups,
      events.map(({ id }) => id),
      events.map(({ sha256 }) => sha256),
    )
    const places = client.send(events.map(({ record }) => record))
    for (const [index, event] of events.entries()) {
      const answer = settled(ledger, request, event, places[index], onAcknowledged).finally(() => {
        answers.delete(answer)
        onRoom()
      })
      answers.add(answer)
    }
  }
  await Promise.all(answers)
}

type SentEvent = KeyedEvent & { readonly record: KeyedRecord }

function eventsOf(load: SendingLoad, number: number): SentEvent[] {
  const [group, round] = [number % keyGroups, Math.floor(number / keyGroups)]
  return Array.from({ length: recordsPerSend }, (_, index) => {
    const key = `${group}-${index}`
    const event = keyedEvent({ eventType: load.topic, source: load.source }, key, round)
    const headers = { ce_id: event.id, ce_source: load.source }
    return { ...event, record: { key: Buffer.from(key), value: Buffer.from(event.data), headers } }
  })
}

async function settled(
  ledger: Ledger,
  request: string,
  { id, sha256 }: KeyedEvent,
  answer: Promise<Place> = Promise.reject(new RangeError('the client says nothing of this record')),
  onAcknowledged: () => void,
): Promise<void> {
  const deadline = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => deadline.resolve(undefined), answerDeadlineMs)
  try {
    const place = await Promise.race([answer, deadline.promise])
    if (!place) return
    ledger.settled(request, [{ status: 'accepted', id, sha256, ...place }])
    onAcknowledged()
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    ledger.settled(request, [{ status: 'unconfirmed', id, detail }])
  } finally {
    clearTimeout(timer)
  }
}
