import type { MillraceError } from '@millrace/core/errors'
import { openAdmin } from './admin.ts'
import type { KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'
import type { StoredRecord } from './fetch.ts'
import { createPosition } from './position.ts'
import { openTail } from './tail.ts'

export type WholeTopicListener = {
  /** Records in their order, each once. */
  readonly onRecord: (record: StoredRecord) => void
  readonly onTrouble?: ((error: MillraceError) => void) | undefined
}

export type WholeTopic = {
  /** Resolves when the record at this offset was handed over. */
  readonly passed: (offset: bigint) => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * Reads a topic of one partition from its beginning, `read_committed`, and follows it. Resolves when all that was there at the call was
 * handed over.
 * @throws MillraceError 'kafka.unknown-topic' | 'kafka.refused' | 'kafka.unavailable', the last also when nothing comes for `timeoutMs` before
 * that
 */
export async function followWholeTopic(
  connection: KafkaConnection,
  topic: string,
  { onRecord, onTrouble }: WholeTopicListener,
  timeoutMs: number,
): Promise<WholeTopic> {
  const position = createPosition()
  let read = 0n
  const end = await endOf(connection, topic)
  const tail = await openTail(connection, topic, 'earliest', {
    onRecords: (records) => records.forEach(onRecord),
    onProgress: (positions) => {
      read = positions.get(0) ?? 0n
      position.advance(read)
    },
    ...(onTrouble && { onTrouble }),
  })
  for (let before = 0n; read < end;) {
    try {
      await within(timeoutMs, `reading all of ${topic}`, position.passed(end - 1n))
    } catch (error) {
      if (read > before) {
        before = read
        continue
      }
      await tail.close()
      throw error
    }
  }
  return { passed: position.passed, close: tail.close }
}

async function endOf(connection: KafkaConnection, topic: string): Promise<bigint> {
  const admin = openAdmin(connection)
  try {
    return (await admin.endOffsets(topic, 'read-committed')).get(0) ?? 0n
  } finally {
    await admin.close()
  }
}
