/** Stores what is replayed: each letter claimed first and noted as done afterwards, so that nobody else does it again. */
import { fingerprintHeader } from '@millrace/core/kafka-binding'
import { MillraceError } from '@millrace/core/errors'
import type { Producer, StoredAt } from '@millrace/kafka/producer'
import type { ReplayLog } from '@millrace/kafka/replay-log'
import type { Claim, Identities } from './identities.ts'
import type { Ready } from './replay-judge.ts'

export type ReplayStore = {
  readonly producer: Pick<Producer, 'send'>
  readonly identities: Pick<Identities, 'claim'>
  readonly onFault: (error: unknown) => void
}

export type Replayed = {
  readonly outcome: 'replayed' | 'already' | 'failed' | 'unconfirmed'
  readonly detail: string
}

/** Stores the records of letters, in their order. What becomes of one does not hold up the others. */
export async function storeReplays(
  batch: readonly Ready[],
  log: ReplayLog,
  store: ReplayStore,
): Promise<readonly Replayed[]> {
  const claimed = await log.claim(batch.map(({ key }) => key))
  const results = await Promise.all(
    batch.map(async (ready): Promise<Replayed> => {
      return claimed.has(ready.key) ? storeOne(ready, store) : { outcome: 'already', detail: '' }
    }),
  )
  const keysOf = (outcome: Replayed['outcome']) =>
    batch.flatMap(({ key }, index) => (claimed.has(key) && results[index]?.outcome === outcome ? [key] : []))
  try {
    await Promise.all([log.done([...keysOf('replayed'), ...keysOf('already')]), log.release(keysOf('failed'))])
  } catch (error) {
    // They are stored: whoever asked is told so. Only the note is missing, so another replay may store them again.
    store.onFault(error)
  }
  return results
}

async function storeOne(ready: Ready, store: ReplayStore): Promise<Replayed> {
  const claim = ready.letter.by === 'gateway' ? claimOf(ready, store) : undefined
  if (claim?.kind === 'known') return { outcome: 'already', detail: '' }
  if (claim?.kind === 'under way') return { outcome: 'failed', detail: 'it is being sent again at this moment' }
  try {
    const at = await store.producer.send(ready.record)
    claim?.stored(placeOf(ready, at))
    return { outcome: 'replayed', detail: '' }
  } catch (error) {
    claim?.failed(error)
    if (!(error instanceof MillraceError)) throw error
    return { outcome: isSurelyNotStored(error) ? 'failed' : 'unconfirmed', detail: error.message }
  }
}

/** What the gateway gave up was never in its topic, unless whoever sent it has sent it again since: then it is there under its identity. */
function claimOf({ record }: Ready, { identities }: ReplayStore): Claim | undefined {
  const fingerprint = record.headers.get(fingerprintHeader)
  const [source, id] = [record.headers.get('ce_source'), record.headers.get('ce_id')]
  if (fingerprint === undefined || source === undefined || id === undefined) return undefined
  return identities.claim({ source, id, fingerprint })
}

function placeOf({ record, schemaId }: Ready, { partition, offset }: StoredAt) {
  return { topic: record.topic, partition, offset: Number(offset), timestampMs: record.timestampMs, schemaId }
}

function isSurelyNotStored({ code }: MillraceError): boolean {
  return code !== 'kafka.not-confirmed'
}
