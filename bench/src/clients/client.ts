/** What is compared: a client for Kafka, behind what the gateway needs of one. Each runs in a process of its own and ends with it. */
import { partitionForKey } from '@millrace/core/partitioner'
import * as z from 'zod'
import { kafkaSettings } from '../kafka-settings.ts'

export type KeyedRecord = {
  readonly key: Buffer
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** The offset is -1 where a client says that a record is stored, and not where. */
export type Place = { readonly partition: number; readonly offset: number }

export type Client = {
  /** Sends records of one topic together. @returns what becomes of each, in their order: its place once it is acknowledged */
  readonly send: (records: readonly KeyedRecord[]) => readonly Promise<Place>[]
}

export const clientSettings = z.strictObject({
  topic: z.string(),
  partitions: z.int(),
  kafka: kafkaSettings,
  confluentDirectory: z.string().optional().describe('where `@confluentinc/kafka-javascript` is installed'),
})
export type ClientSettings = z.infer<typeof clientSettings>

export type OpenClient = (settings: ClientSettings) => Promise<Client>

/** What becomes of each of the records of a send that is answered as a whole. */
export function each(records: readonly KeyedRecord[], answer: Promise<readonly Place[]>): readonly Promise<Place>[] {
  return records.map(async (_, index) => {
    const place = (await answer)[index]
    if (!place) throw new RangeError('a send was answered with fewer places than it had records')
    return place
  })
}

/** The places of records of a send that was answered with the first offset of each partition. */
export function placesFrom(
  firstOffsets: ReadonlyMap<number, number>,
  records: readonly KeyedRecord[],
  partitions: number,
): Place[] {
  const next = new Map(firstOffsets)
  return records.map(({ key }) => {
    const partition = partitionForKey(key, partitions)
    const offset = next.get(partition) ?? -1
    if (offset >= 0) next.set(partition, offset + 1)
    return { partition, offset }
  })
}

/** Sends what goes to each partition for itself, for clients that err where a send has several. */
export function byPartition(send: Client['send'], partitions: number): Client['send'] {
  return (records) => {
    const answers = new Map<KeyedRecord, Promise<Place>>()
    for (const some of Map.groupBy(records, ({ key }) => partitionForKey(key, partitions)).values()) {
      send(some).forEach((answer, index) => {
        const record = some[index]
        if (record) answers.set(record, answer)
      })
    }
    return records.map((record) => answers.get(record) ?? Promise.reject(new RangeError('a record was not sent')))
  }
}
