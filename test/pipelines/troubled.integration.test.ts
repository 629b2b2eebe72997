/** A partition that is idle, one with an event of 2099 and bytes that are no event: windows close all the same, and all is counted. */
import { deadLetterTopic } from '@millrace/core/topic-name'
import { openAdmin } from '@millrace/kafka/admin'
import { openProducer } from '@millrace/kafka/producer'
import { openReader } from '@millrace/kafka/reader'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { call } from '../contract.ts'
import { applyAsBefore, millrace, stateOf } from './command.ts'
import { measured, troubled } from './troubled.ts'

const { connection } = stack()
const admin = openAdmin(connection('admin'))
const producer = openProducer(connection('admin'))
const reader = openReader(connection('admin'))
const timeout = 300_000

beforeAll(() => millrace('troubled', 'apply'), timeout)

afterAll(async () => {
  await applyAsBefore()
  const topics = [measured, troubled.result].flatMap(({ topic }) => [topic, deadLetterTopic(topic)])
  await admin.deleteTopics([...topics, `${troubled.name}.late`])
  await Promise.all([admin.close(), producer.close(), reader.close()])
}, timeout)

const [sound, poisoned] = [0, 2]
const windowMs = 10_000
const windows = 6
const startMs = Math.floor(Date.now() / windowMs) * windowMs

async function send(partition: number, value: string): Promise<number> {
  const record = { key: Buffer.from('k'), value: Buffer.from(value), headers: new Map(), timestampMs: Date.now() }
  const { offset } = await producer.send({ topic: measured.topic, partition, ...record })
  return Number(offset)
}

function reading(meter: string, atMs: number): string {
  return JSON.stringify({ meter, value: 1.5, at: new Date(atMs).toISOString() })
}

const result = z.object({ meter: z.string(), readings: z.int(), total: z.number(), windowStart: z.string() })
const letters = z.object({
  deadLetters: z.array(z.object({ reason: z.string(), origin: z.object({ partition: z.int(), offset: z.int() }) })),
})

async function results() {
  const { records } = await reader.readLatest(troubled.result.topic, 1_000)
  return records.map(({ value }) => result.parse(JSON.parse(String(value))))
}

test(
  'windows close, what is no event and what is of 2099 is a dead letter, and every record is counted once',
  { timeout },
  async () => {
    // One a second in each of two partitions, by turns, so that neither runs ahead of the other; the third stays empty.
    let malformedAt = -1
    let poisonAt = -1
    for (let second = 0; second < (windows * windowMs) / 1_000; second++) {
      await send(sound, reading('sound', startMs + second * 1_000))
      if (second === 33) malformedAt = await send(sound, '{"meter":')
      if (second === 12) poisonAt = await send(poisoned, reading('poisoned', Date.parse('2099-01-01T00:00:00Z')))
      await send(poisoned, reading('poisoned', startMs + second * 1_000))
    }
    // Closes all windows before it; its own stays open.
    for (const partition of [sound, poisoned])
      await send(partition, reading('last', startMs + windows * windowMs + 5_000))

    const expected = ['sound', 'poisoned'].flatMap((meter) =>
      Array.from({ length: windows }, (_, window) => {
        const windowStart = new Date(startMs + window * windowMs).toISOString().replace('.000Z', 'Z')
        return { meter, readings: 10, total: 15, windowStart }
      }),
    )
    await vi.waitFor(async () => expect(new Set(await results())).toEqual(new Set(expected)), {
      timeout: 60_000,
      interval: 500,
    })
    expect(await results()).toHaveLength(expected.length)

    const sent = 2 * windows * 10 + 4
    await vi.waitFor(
      async () => {
        expect((await stateOf(troubled.name, 'troubled'))?.records).toEqual({
          ...{ in: sent, processed: sent - 2, filtered: 0, late: 0, deadLettered: 2, notAddressed: 0 },
          results: expected.length,
        })
      },
      { timeout: 60_000, interval: 1_000 },
    )
    const { deadLetters } = letters.parse((await call('GET', `/v1/dead-letters?topic=${measured.topic}`)).body)
    expect(new Set(deadLetters)).toEqual(
      new Set([
        { reason: 'malformed', origin: { partition: sound, offset: malformedAt } },
        { reason: 'too-far-ahead', origin: { partition: poisoned, offset: poisonAt } },
      ]),
    )
  },
)
