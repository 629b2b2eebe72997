/** The accounting as it is written down, followed from when it is first asked for. */
import { isJsonObject, type JsonObject } from '@millrace/core/json'
import {
  ledgerTopic,
  type LedgerMinute,
  type LedgerTopic,
  parseLedgerMinute,
  parseLedgerTopic,
} from '@millrace/core/ledger'
import type { KafkaConnection } from '@millrace/kafka/connection'
import type { StoredRecord } from '@millrace/kafka/reader'
import { followWholeTopic } from '@millrace/kafka/whole-topic'

export type LedgerView = {
  readonly topics: () => Iterable<LedgerTopic>
  readonly minutes: () => Iterable<LedgerMinute>
  readonly close: () => Promise<void>
}

const readTimeoutMs = 20_000

/** @throws MillraceError 'kafka.unknown-topic' | 'kafka.refused' | 'kafka.unavailable' */
export async function openLedgerView(
  connection: KafkaConnection,
  onTrouble: (error: Error) => void,
): Promise<LedgerView> {
  const topics = new Map<string, LedgerTopic>()
  const minutes = new Map<string, LedgerMinute>()
  const onRecord = ({ key, value }: StoredRecord) => {
    const name = String(key)
    const written = value === null ? undefined : parse(value)
    const minute = written && parseLedgerMinute(written)
    const topic = written && parseLedgerTopic(written)
    if (minute) minutes.set(name, minute)
    else minutes.delete(name)
    if (topic) topics.set(name, topic)
    else topics.delete(name)
  }
  const followed = await followWholeTopic(connection, ledgerTopic, { onRecord, onTrouble }, readTimeoutMs)
  return { topics: () => topics.values(), minutes: () => minutes.values(), close: followed.close }
}

function parse(value: Buffer): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(value.toString())
    return isJsonObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}
