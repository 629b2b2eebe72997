/** Dead letters as records, sealed where their type has something to hide, and the records that they were made of. */
import {
  type DeadLetterRecord,
  deadLetterReasons,
  deadLetterRecord,
  type FailedRecord,
  type Failure,
  type HeadersRead,
  originalHeaders,
} from '@millrace/core/dead-letter'
import { fingerprintHeader } from '@millrace/core/kafka-binding'
import type { DeadLetter } from '@millrace/core/read-dead-letter'
import type { SealContext, Sealing } from './sealing.ts'

/** What a record was before it was given up. */
export type Original = HeadersRead<Buffer> & { readonly key: Buffer | null; readonly value: Buffer | null }

/**
 * The dead letter of a record, ready to be sent.
 * @param sealing for a record of a type with sensitive pointers; the detail of such a letter is the general one of its reason, since
 * what failed may have put data into its own
 */
export function deadLetterOf(
  record: FailedRecord<Buffer>,
  failure: Failure,
  sealing: Sealing | undefined,
): DeadLetterRecord<Buffer> {
  if (!sealing) return deadLetterRecord(record, failure)
  const { key = null, value, headers } = record
  const fingerprint = headers.get(fingerprintHeader) ?? null
  const sealed = sealing.seal({ key, value, fingerprint }, contextOf(record.topic, headers, failure.reason))
  const general: Failure = { ...failure, detail: deadLetterReasons[failure.reason] }
  return deadLetterRecord({ ...record, ...withoutFingerprint(record), key: null }, general, sealed)
}

/**
 * What a dead letter was made of, opened where it is sealed.
 * @throws MillraceError 'dead-letter.sealed'
 */
export function originalOf(stored: Original, letter: DeadLetter, sealing: Sealing): Original {
  const own = originalHeaders(stored)
  if (letter.sealed === undefined) return { ...own, key: stored.key, value: stored.value }
  const context = contextOf(letter.origin.topic, stored.headers, letter.reason)
  const { key, value, fingerprint } = sealing.open(letter.sealed, stored.value ?? Buffer.alloc(0), context)
  if (fingerprint === null) return { ...own, key, value }
  return {
    headers: new Map([...own.headers, [fingerprintHeader, fingerprint]]),
    ...rawWith(own, fingerprint),
    key,
    value,
  }
}

function contextOf(topic: string, headers: ReadonlyMap<string, string>, reason: string): SealContext {
  return { topic, source: headers.get('ce_source') ?? '', id: headers.get('ce_id') ?? '', reason }
}

function withoutFingerprint({ headers, rawHeaders }: HeadersRead<Buffer>): HeadersRead<Buffer> {
  return {
    headers: new Map([...headers].filter(([name]) => name !== fingerprintHeader)),
    ...(rawHeaders && { rawHeaders: rawHeaders.filter(([name]) => name.toString() !== fingerprintHeader) }),
  }
}

function rawWith({ rawHeaders }: HeadersRead<Buffer>, fingerprint: string): Pick<HeadersRead<Buffer>, 'rawHeaders'> {
  return rawHeaders ? { rawHeaders: [...rawHeaders, [Buffer.from(fingerprintHeader), Buffer.from(fingerprint)]] } : {}
}
