/** `millrace pipelines`, against the running platform and a pipeline that changes. */
import { randomUUID } from 'node:crypto'
import { deadLetterTopic } from '@millrace/core/topic-name'
import { openAdmin } from '@millrace/kafka/admin'
import { openReader } from '@millrace/kafka/reader'
import { stack } from '@millrace/testkit/fixture'
import { restartServer } from '@millrace/testkit/servers'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { call } from '../contract.ts'
import { applyAsBefore, millrace, stateOf } from './command.ts'
import { sold, turnover } from './turnover.ts'

const { stateDirectory, connection } = stack()
const timeout = 300_000

const stopped = z.object({ state: z.literal('stopped'), ran: z.boolean(), savepoint: z.string().optional() })
const restarted = z.object({
  state: z.literal('running'),
  restoredFrom: z.string().optional(),
  anewFrom: z.string().optional(),
})
const planned = z.array(z.object({ resource: z.string(), action: z.string(), name: z.string(), detail: z.string() }))

const stop = async () =>
  stopped.parse(JSON.parse(await millrace('turnover', 'pipelines', 'stop', 'turnover', '--json')))
const restart = async (definition: 'turnover' | 'averaged', ...words: string[]) =>
  restarted.parse(JSON.parse(await millrace(definition, 'pipelines', 'restart', 'turnover', '--json', ...words)))

const admin = openAdmin(connection('admin'))
const reader = openReader(connection('admin'))

beforeAll(() => millrace('turnover', 'apply'), timeout)

afterAll(async () => {
  await applyAsBefore()
  await admin.deleteTopics([sold, turnover.result].flatMap(({ topic }) => [topic, deadLetterTopic(topic)]))
  await Promise.all([admin.close(), reader.close()])
}, timeout)

const startMs = Date.parse('2032-01-01T00:00:00Z')
let sales = 0

/** Sales of a single shop, one a second of their own time. */
async function sell(seconds: number): Promise<void> {
  const events = Array.from({ length: seconds }, () => {
    const at = new Date(startMs + sales * 1_000).toISOString()
    sales += 1
    return {
      specversion: '1.0',
      id: randomUUID(),
      source: '/shop',
      type: sold.name,
      data: { shop: 'a', amount: 2, at },
    }
  })
  const body = JSON.stringify(events)
  const answer = await call('POST', '/v1/events', { contentType: 'application/cloudevents-batch+json', body })
  expect(answer.status).toBe(200)
}

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)

const result = z.object({ sales: z.int(), amount: z.number(), windowStart: z.string() })

/** What is in the pipeline's topic, in its order. */
async function results() {
  const { records } = await reader.readLatest(turnover.result.topic, 1_000)
  return records.toReversed().map(({ value }) => result.parse(JSON.parse(String(value))))
}

/** Of every window that has closed: the last sale but one moves event time, less a second of disorder. */
function closed(amount: number) {
  return Array.from({ length: Math.floor((sales - 2) / 10) }, (_, window) => {
    const windowStart = new Date(startMs + window * 10_000).toISOString().replace('.000Z', 'Z')
    return { sales: 10, amount, windowStart }
  })
}

async function settled(expected: readonly z.infer<typeof result>[]): Promise<void> {
  await vi.waitFor(async () => expect(await results()).toEqual(expected), { timeout: 60_000, interval: 500 })
}

test(
  'all pipelines are listed: what they do, how far they are and what became of their records',
  { timeout },
  async () => {
    await sell(25)
    await settled(closed(20))
    const one = await vi.waitUntil(
      async () => {
        const state = await stateOf('turnover')
        return state?.records?.['in'] === sales && state.lag === 0 ? state : undefined
      },
      { timeout: 60_000, interval: 500 },
    )
    expect(one).toMatchObject({ state: 'running', from: 'shop.sold', to: 'turnover', backpressure: 'ok', restarts: 0 })
    expect(one.records).toEqual({
      ...{ in: sales, processed: sales, filtered: 0, late: 0, deadLettered: 0, notAddressed: 0 },
      results: 2,
    })
    expect(one.watermark).toBe(new Date(startMs + (sales - 2) * 1_000).toISOString())
    expect(one.partitions).toEqual([{ partition: 0, lag: 0, watermark: one.watermark }])
    expect(one.checkpoints?.newest?.ageMs).toBeLessThan(10_000)
    expect(await stateOf('spend-per-customer')).toMatchObject({ state: 'running' })
    expect(await millrace('turnover', 'pipelines', 'list')).toMatch(/^turnover +running .* shop\.sold → turnover$/m)
    const shown = await millrace('turnover', 'pipelines', 'show', 'turnover', '--sql')
    expect(shown).toMatch(/ {2}0 +0 +2032-01-01T00:00:23\.000Z\n/)
    expect(shown).toContain('INSERT INTO `results`')
  },
)

test('a pipeline that there is not is said to be none, beside those that there are', async () => {
  await expect(millrace('turnover', 'pipelines', 'stop', 'turn-over')).rejects.toMatchObject({
    code: 1,
    stderr: 'there is no pipeline "turn-over": there are spend-per-customer, turnover\n',
  })
})

test(
  'one that is stopped stays so though Flink is killed, and goes on without losing or repeating a result',
  { timeout },
  async () => {
    const { savepoint } = await stop()
    expect(savepoint).toMatch(/\/turnover\/savepoint-/)
    await sell(30)
    await restartServer(stateDirectory, 'flink', 'SIGKILL', timeout)
    expect(await stateOf('turnover')).toMatchObject({ state: 'stopped', lag: 30 })
    expect(await stateOf('spend-per-customer')).toMatchObject({ state: 'running' })
    expect(planned.parse(JSON.parse(await millrace('turnover', 'plan', '--json')))).toEqual([
      {
        ...{ resource: 'job', action: 'create', name: 'turnover' },
        detail: 'was stopped by hand; shop.sold → turnover',
      },
    ])
    expect(await stop()).toMatchObject({ ran: false })
    expect(await restart('turnover')).toMatchObject({ restoredFrom: savepoint })
    await settled(closed(20))
    expect(await restart('turnover')).toMatchObject({ state: 'running' })
    await sell(20)
    await settled(closed(20))
    expect(JSON.parse(await millrace('turnover', 'plan', '--json'))).toEqual([])
  },
)

describe('a pipeline whose change does not fit what it had counted', () => {
  test.each(['averaged', 'slid'] as const)(
    'is refused with what to do, and its job goes on as it was: %s',
    { timeout },
    async (definition) => {
      const refused = expect(millrace(definition, 'apply')).rejects
      await refused.toMatchObject({
        code: 1,
        stderr: matching(/^pipeline "turnover" has changed so that .*pipelines restart turnover --from-beginning/),
      })
      expect(planned.parse(JSON.parse(await millrace(definition, 'plan', '--json')))).toContainEqual(
        expect.objectContaining({ resource: 'job', detail: matching(/^will be refused/) }),
      )
      expect(await stateOf('turnover')).toMatchObject({ state: 'running' })
      await sell(10)
      await settled(closed(20))
      expect(await restart('turnover')).toMatchObject({ restoredFrom: matching(/\/savepoint-/) })
      await sell(10)
      await settled(closed(20))
    },
  )

  test('begins anew where that is asked for, and its records are accounted for once', { timeout }, async () => {
    const before = await results()
    expect(await restart('averaged', '--from-beginning')).toEqual({ state: 'running', anewFrom: 'shop.sold' })
    await settled([...before, ...closed(2)])
    await sell(10)
    await settled([...before, ...closed(2)])
    await vi.waitFor(async () => expect((await stateOf('turnover'))?.records).toMatchObject({ in: sales }), {
      timeout: 60_000,
      interval: 1_000,
    })
    await restartServer(stateDirectory, 'flink', 'SIGKILL', timeout)
    expect(await stateOf('turnover')).toMatchObject({ state: 'running' })
    await sell(10)
    await settled([...before, ...closed(2)])
  })
})
