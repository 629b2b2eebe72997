import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { rootCertificates } from 'node:tls'
import { promisify } from 'node:util'
import { openAdmin } from '@millrace/kafka/admin'
import { classPathOf } from '@millrace/stack/jvm'
import { distributions } from '@millrace/stack/layout'
import { stack } from '@millrace/testkit/fixture'
import { describe, expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)
const { connection, bootstrapServers, auditorProperties, javaCommand, gatewayUrl, token, passwords } = stack()

async function post(customer: string): Promise<Response> {
  return fetch(`${gatewayUrl}/v1/events`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await token('events:write:order.*')}`,
      'content-type': 'application/cloudevents+json',
    },
    body: JSON.stringify({
      specversion: '1.0',
      source: '/kafka-security',
      type: 'order.placed',
      data: { customer, amount: 1, at: new Date().toISOString() },
    }),
  })
}

describe('a Kafka client', () => {
  test("reads events with Kafka's own console consumer and the right user", async () => {
    expect((await post('console')).status).toBe(201)
    const { stdout } = await run(javaCommand, [
      '-Xmx128m',
      '-cp',
      classPathOf(distributions.kafka),
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      '--bootstrap-server',
      bootstrapServers.join(','),
      '--command-config',
      auditorProperties,
      '--topic',
      'order.placed',
      '--group',
      'auditor-console',
      '--from-beginning',
      '--timeout-ms',
      '20000',
      '--max-messages',
      '1',
    ])
    expect(stdout).toContain('"amount":1')
  })

  test('is refused with the password of another user', async () => {
    const admin = openAdmin({ ...connection('auditor'), password: passwords['gateway'] ?? '' })
    onTestFinished(() => admin.close())
    await expect(admin.brokers()).rejects.toThrow()
  })

  test('is refused when it is nobody known', async () => {
    const admin = openAdmin({ ...connection('auditor'), username: 'nobody' })
    onTestFinished(() => admin.close())
    await expect(admin.brokers()).rejects.toThrow()
  })

  test('gets no answer without TLS', async () => {
    const [host = '', port = ''] = (bootstrapServers[0] ?? '').split(':')
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect(Number(port), host, () => {
        // ApiVersions, version 0, as a plaintext client would begin.
        socket.write(Buffer.from('0000000f00120000000000010005706c61696e', 'hex'))
      })
      socket.on('data', (data) => resolve(data.length > 7 && data[0] === 0))
      for (const event of ['end', 'close', 'error'] as const) socket.on(event, () => resolve(false))
      socket.setTimeout(10_000, () => socket.destroy())
    })
    expect(answered).toBe(false)
  })

  test('is refused when it does not trust the certificate authority', async () => {
    const admin = openAdmin({ ...connection('auditor'), caPem: rootCertificates[0] ?? '' })
    onTestFinished(() => admin.close())
    await expect(admin.brokers()).rejects.toThrow()
  })
})

describe('a user of the cluster', () => {
  test('may not read what nobody allowed it to', async () => {
    const admin = openAdmin(connection('auditor'))
    onTestFinished(() => admin.close())
    expect([...(await admin.partitions()).keys()].sort()).toEqual([
      'order.placed',
      'order.placed.dlq',
      'spend-per-customer',
      'spend-per-customer.late',
    ])
  })

  test('may not make a topic as the gateway may', async () => {
    const topic = { name: 'order.made-at-run-time', partitions: 1, replication: 3, config: {} }
    const auditor = openAdmin(connection('auditor'))
    const gateway = openAdmin(connection('gateway'))
    onTestFinished(async () => {
      await auditor.close()
      await gateway.close()
    })
    await expect(auditor.createTopic(topic)).rejects.toMatchObject({ code: 'kafka.refused' })
    await expect(gateway.createTopic(topic)).resolves.toBeUndefined()
    await expect(gateway.createTopic({ ...topic, name: '_internal' })).rejects.toMatchObject({ code: 'kafka.refused' })
  })
})
