/**
 * Where the accounting is kept: a compacted topic. What changed, and how far topics and accounts were read for it, is written in one
 * transaction; so whoever goes on from there counts nothing twice and misses nothing.
 */
import { isJsonObject, type JsonObject, type JsonValue, parsedJson } from '@millrace/core/json'
import { ledgerTopic, ledgerTransactionalId } from '@millrace/core/ledger'
import type { KafkaConnection } from '@millrace/kafka/connection'
import type { OutgoingRecord } from '@millrace/kafka/producer'
import type { StoredRecord } from '@millrace/kafka/reader'
import { openTransactionalProducer } from '@millrace/kafka/transactional-producer'
import { followWholeTopic } from '@millrace/kafka/whole-topic'

export type LedgerStore = {
  /** What is written, by key. */
  readonly read: ReadonlyMap<string, JsonObject>
  /**
   * Writes what changed; `undefined` takes a key away.
   * @throws MillraceError 'kafka.fenced' when another process keeps the ledger now; 'kafka.not-confirmed' when it is not known whether it is
   * written; any other when it is not
   */
  readonly write: (changed: ReadonlyMap<string, JsonValue | undefined>) => Promise<void>
  readonly close: () => Promise<void>
}

const readTimeoutMs = 60_000

/** Takes the ledger over from whoever keeps it, and reads it. */
export async function openLedgerStore(connection: KafkaConnection): Promise<LedgerStore> {
  const producer = await openTransactionalProducer(connection, ledgerTransactionalId)
  try {
    return { read: await readAll(connection), write, close: producer.close }
  } catch (error) {
    await producer.close()
    throw error
  }

  async function write(changed: ReadonlyMap<string, JsonValue | undefined>): Promise<void> {
    await producer.commit([...changed].map(recordOf))
  }
}

function recordOf([key, value]: [string, JsonValue | undefined]): OutgoingRecord {
  const bytes = value === undefined ? null : Buffer.from(JSON.stringify(value))
  return { topic: ledgerTopic, key: Buffer.from(key), value: bytes, headers: new Map(), timestampMs: Date.now() }
}

async function readAll(connection: KafkaConnection): Promise<Map<string, JsonObject>> {
  const read = new Map<string, JsonObject>()
  const onRecord = ({ key, value }: StoredRecord) => {
    const parsed = value === null ? undefined : parsedJson(value.toString())
    // Those that changed last come last.
    read.delete(String(key))
    if (isJsonObject(parsed)) read.set(String(key), parsed)
  }
  const topic = await followWholeTopic(connection, ledgerTopic, { onRecord }, readTimeoutMs)
  await topic.close()
  return read
}
