/** Flights as the gateway stores them. */
import { recordHeaders } from '@millrace/core/kafka-binding'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { openProducer, type OutgoingRecord } from '@millrace/kafka/producer'
import { type Flight, flights } from './flights.ts'
import { flightDeparted } from './platform.ts'

/** So many are under way at once. */
const chunkEvents = 10_000

/** Stores so many flights, and those that end their windows. */
export async function storeFlights(connection: KafkaConnection, count: number, schemaUrl: string): Promise<void> {
  const producer = openProducer(connection)
  try {
    let chunk: Promise<unknown>[] = []
    for (const flight of flights(count)) {
      chunk.push(producer.send(recordOf(flight, schemaUrl)))
      if (chunk.length < chunkEvents) continue
      await Promise.all(chunk)
      chunk = []
    }
    await Promise.all(chunk)
  } finally {
    await producer.close()
  }
}

export function recordOf({ atMs, partition, ...flight }: Flight, schemaUrl: string): OutgoingRecord {
  const date = new Date(atMs).toISOString()
  const timestampMs = Date.now()
  const digits = String(flight.flight).padStart(12, '0')
  const headers = recordHeaders(
    {
      specversion: '1.0',
      id: `00000000-0000-4000-8000-${digits}`,
      source: '/bench/flights',
      type: flightDeparted.name,
      time: new Date(timestampMs).toISOString(),
      attributes: {},
    },
    {
      schemaUrl,
      contentType: 'application/json',
      fingerprint: `${digits}${digits}`.padStart(32, '0'),
      eventTime: date,
    },
  )
  const { origin } = flight
  const value = Buffer.from(JSON.stringify({ ...flight, date }))
  return { topic: flightDeparted.topic, key: Buffer.from(origin), value, headers, timestampMs, partition }
}
