/** `millrace dlq`, against the running platform. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { deadLetterRecord } from '@millrace/core/dead-letter'
import { openProducer } from '@millrace/kafka/producer'
import { projectDirectory } from '@millrace/stack/layout'
import { stack } from '@millrace/testkit/fixture'
import { beforeAll, expect, test } from 'vitest'

const { stateDirectory, connection, gatewayUrl, token } = stack()
const cli = resolve(projectDirectory, 'apps/cli/src/main.ts')
const platform = resolve(projectDirectory, 'packages/testkit/src/platform.ts')

async function dlq(...words: string[]): Promise<string> {
  const all = [cli, 'dlq', ...words, '--state', stateDirectory, '--platform', platform]
  return (await promisify(execFile)(process.execPath, all)).stdout
}

const id = randomUUID()
const topic = 'order.placed'

/** An event that is stored, and that a worker gives up. */
beforeAll(async () => {
  const data = { customer: 'ada', amount: 1, at: '2030-06-01T00:00:00Z' }
  const answer = await fetch(`${gatewayUrl}/v1/events`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await token('events:write:*')}`,
      'content-type': 'application/cloudevents+json',
    },
    body: JSON.stringify({ specversion: '1.0', id, source: '/dlq-test', type: topic, data }),
  })
  expect(answer.status).toBe(201)
  const producer = openProducer(connection('admin'))
  const now = Date.now()
  const headers = new Map(Object.entries({ ce_id: id, ce_source: '/dlq-test', ce_type: topic, ce_time: data.at }))
  const value = Buffer.from(JSON.stringify(data))
  const failure = { by: 'worker/bill', reason: 'timeout', detail: 'too slow', attempts: 1 } as const
  await producer.send(
    deadLetterRecord(
      { topic, partition: 0, offset: BigInt(now), timestampMs: now, key: Buffer.from('ada'), value, headers },
      { ...failure, firstFailedAtMs: now, failedAtMs: now },
    ),
  )
  await producer.close()
})

test('lists, shows and replays dead letters', async () => {
  expect(await dlq('list', topic, '--reason', 'timeout')).toContain(`/dlq-test ${id}`)
  expect(JSON.parse(await dlq('list', topic, '--reason', 'timeout', '--json'))).toMatchObject({ topic, atEnd: true })
  expect(JSON.parse(await dlq('show', topic, id))).toMatchObject([{ id, by: 'worker/bill', data: { customer: 'ada' } }])
  expect(await dlq('replay', topic, '--id', id, '--dry-run')).toContain('wouldReplay: 1')
  expect(JSON.parse(await dlq('replay', topic, '--id', id, '--json'))).toMatchObject({ replayed: 1, dryRun: false })
  expect(await dlq('replay', topic, '--id', id)).toContain('already: 1')
})

test('says what is wrong, and ends with 1', async () => {
  await expect(dlq('show', topic, 'nobody')).rejects.toMatchObject({
    code: 1,
    stderr: 'order.placed has no dead letter with the id "nobody"\n',
  })
  await expect(dlq('list', 'no.such.topic')).rejects.toMatchObject({ code: 1 })
})
