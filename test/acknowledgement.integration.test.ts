import { readRecord } from '@millrace/stack/run-folder'
import { layoutOf } from '@millrace/stack/layout'
import { openAdmin } from '@millrace/kafka/admin'
import { stack } from '@millrace/testkit/fixture'
import { expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod'

const { stateDirectory, gatewayUrl, token, connection } = stack()

const event = {
  specversion: '1.0',
  source: '/acknowledgement',
  id: 'one-copy',
  type: 'order.placed',
  data: { customer: 'kay', amount: 1, at: '2030-06-01T00:00:00Z' },
}
const problemShape = z.object({ status: z.literal(503), id: z.string(), detail: z.string() })
const receiptShape = z.object({ status: z.enum(['accepted', 'duplicate']), partition: z.int(), offset: z.int() })

async function post(): Promise<Response> {
  return fetch(`${gatewayUrl}/v1/events`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await token('events:write:order.*')}`,
      'content-type': 'application/cloudevents+json',
    },
    body: JSON.stringify(event),
  })
}

async function signalBrokers(names: readonly string[], signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
  const record = await readRecord(layoutOf(stateDirectory))
  for (const { name, pid } of record?.services ?? []) {
    if (names.includes(name) && pid !== null) process.kill(pid, signal)
  }
}

test('with two of three brokers away nothing is acknowledged: 503, and the same event is taken once they are back', async () => {
  const away = ['kafka-2', 'kafka-3']
  onTestFinished(() => signalBrokers(away, 'SIGCONT'))
  await signalBrokers(away, 'SIGSTOP')
  const refused = await post()
  expect(refused.status).toBe(503)
  expect(refused.headers.get('content-type')).toContain('application/problem+json')
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(problemShape.parse(await refused.json()).id).toBe(event.id)

  await signalBrokers(away, 'SIGCONT')
  const admin = openAdmin(connection('admin'))
  onTestFinished(() => admin.close())
  await vi.waitUntil(async () => (await admin.brokers().catch(() => [])).length === 3, {
    timeout: 60_000,
    interval: 500,
  })
  const accepted = await vi.waitUntil(
    async () => {
      const answer = await post()
      // 200 where the first one was stored after all.
      return answer.ok ? answer : undefined
    },
    { timeout: 60_000, interval: 500 },
  )
  receiptShape.parse(await accepted.json())
})
