/** The accounting as it is written down, followed from when it is first asked for. */
import { parsedJson } from '@millrace/core/json'
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
    const written = value === null ? undefined : parsedJson(value.toString())
    const minute = parseLedgerMinute(written)
    const topic = parseLedgerTopic(written)
    if (minute) minutes.set(name, minute)
    else minutes.delete(name)
    if (topic) topics.set(name, topic)
    else topics.delete(name)
  }
  const followed = await followWholeTopic(connection, ledgerTopic, { onRecord, onTrouble }, readTimeoutMs)
  return { topics: () => topics.values(), minutes: () => minutes.values(), close: followed.close }
}
