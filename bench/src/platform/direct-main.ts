/**
 * The control: the same Kafka client alone, in a process of its own that makes its load itself, with records like those that the
 * gateway makes of flights. It is told by messages what to do and answers what it measured.
 */
import { openProducer } from '@millrace/kafka/producer'
import { readConfig } from '@millrace/service/config'
import { batchEvents } from '../ingest/events.ts'
import { putLoad, type Send } from '../ingest/load.ts'
import { connectionOf } from '../kafka-settings.ts'
import { flights } from '../processing/flights.ts'
import { recordOf } from '../processing/records.ts'
import { controlSettings, order } from './control-order.ts'

const config = await readConfig(controlSettings, process.argv.slice(2))
const producer = openProducer(await connectionOf(config.kafka))
const made = flights(Number.MAX_SAFE_INTEGER)

process.on('message', (message) => {
  const { eventsPerSecond, seconds } = order.parse(message)
  const load = { perSecond: eventsPerSecond / batchEvents, seconds, concurrency: 1 }
  void putLoad(sendMany, load).then((result) => process.send?.(result))
})
process.once('disconnect', () => void producer.close())

const sendMany: Send = async () => {
  await Promise.all(Array.from({ length: batchEvents }, sendOne))
  return batchEvents
}

async function sendOne(): Promise<void> {
  const next = made.next()
  if (next.done) throw new RangeError('there are no more flights')
  await producer.send(recordOf(next.value, config.schemaUrl))
}
