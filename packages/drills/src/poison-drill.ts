import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { openProducer, type Producer } from '@millrace/kafka/producer'
import { backoffMs } from '@millrace/ledger/outcome'
import type { Drill } from './drill.ts'
import { type Batch, type KeyedEvent, type KeyedLoad, keyedEvent, lanes, sendUntilAcknowledged } from './keyed-load.ts'
import { type Poison, poisonedKey, poisonOf } from './poison.ts'
import type { Stage } from './stage.ts'

const kinds: readonly Poison[] = ['undecodable', 'throws', 'too-long']
const keysPerKind = 15
const rounds = 4
const pauseMs = 1_000
/** Four attempts take longer than a partition may stand still; an honest event takes some ms. */
const timeoutMs = 3_000
const attemptsMax = 5
const user = 'admin'

/** Some more poison each second, and behind each a good event of its key. */
async function givePoison({ installation, load, wait, note }: Stage): Promise<undefined> {
  const producer = openProducer(await installation.kafkaConnection(user))
  try {
    for (let number = 0; number < keysPerKind; number += 1) {
      await Promise.all(kinds.map((kind) => giveKey(load, producer, poisonedKey(kind, number))))
      await wait(pauseMs)
    }
  } finally {
    await producer.close()
  }
  note(`${(kinds.length * keysPerKind * rounds) / 2} events were poison`)
  return undefined
}

async function giveKey(load: KeyedLoad, producer: Producer, key: string): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const event = keyedEvent(load, key, round)
    const batch: Batch = { lane: lanes, name: event.id, events: [event] }
    if (poisonOf(key, round) === 'undecodable') await storeUndecodable(load, producer, key, event)
    else await sendUntilAcknowledged(load, batch)
  }
}

/** No gateway takes bytes that are no JSON, so they are written past it, and into the ledger as what it would have answered. */
async function storeUndecodable(load: KeyedLoad, producer: Producer, key: string, { id }: KeyedEvent): Promise<void> {
  const { eventType: topic, source, ledger } = load
  const value = Buffer.from([0xff, 0x00, ...Buffer.from(id)])
  const sha256 = hash('sha256', value)
  const context = { ce_specversion: '1.0', ce_id: id, ce_source: source, ce_type: topic }
  const headers = new Map(Object.entries({ ...context, 'content-type': 'application/json' }))
  for (let attempt = 1; ; attempt += 1) {
    const request = `${id}-${attempt}`
    ledger.sending(request, lanes, [id], [sha256])
    try {
      const record = { topic, key: Buffer.from(key), value, headers, timestampMs: Date.now() }
      const { partition, offset } = await producer.send(record)
      ledger.settled(request, [{ status: 'accepted', id, partition, offset: Number(offset), sha256 }])
      return
    } catch (error) {
      ledger.settled(request, [{ status: 'unconfirmed', id, detail: String(error) }])
      if (attempt === attemptsMax) throw error
      await delay(backoffMs(attempt))
    }
  }
}

export const poisonDrills: readonly Drill[] = [
  {
    name: 'poison-pill',
    says: 'bytes that are no JSON, events whose handler throws each time, and events whose handler does not end, among all others',
    recoveryBound: 'nothing: what is sent is acknowledged by gateways all the while',
    workers: 3,
    work: () => ({ timeoutMs }),
    isPoisoned: true,
    fault: givePoison,
  },
]
