import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { MillraceError } from '@millrace/core/errors'
import { stack } from '@millrace/testkit/fixture'
import { expect, onTestFinished, test } from 'vitest'
import { openAdmin } from '../src/admin.ts'

const { connection, bootstrapServers } = stack()

/** In front of a broker: resets each connection after so many bytes from the client. */
async function openBreaker(bytesMax: number): Promise<string> {
  const [host, port] = (bootstrapServers[0] ?? '').split(':')
  const server = createServer((client) => {
    const broker = connect(Number(port), host ?? '')
    let bytes = 0
    client.on('data', (chunk) => {
      bytes += chunk.length
      if (bytes > bytesMax) client.resetAndDestroy()
      else broker.write(chunk)
    })
    broker.on('data', (chunk) => client.write(chunk))
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      one.on('error', () => undefined)
      one.on('close', () => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  return `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
}

test('a connection that breaks while it logs in fails what it was for, and nothing else', async () => {
  // From before the TLS handshake to after the login, which takes some 1 500 bytes.
  const breaks = Array.from({ length: 16 }, (_, index) => index * 120)
  const asked = breaks.map(async (bytes) => {
    const admin = openAdmin({ ...connection('admin'), bootstrapServers: [await openBreaker(bytes)] })
    onTestFinished(() => admin.close())
    return admin.brokers().then(
      () => 'answered',
      (error: unknown) => (error instanceof MillraceError ? error.code : String(error)),
    )
  })
  const outcomes = new Set(await Promise.all(asked))
  outcomes.delete('answered')
  expect([...outcomes]).toEqual(['kafka.unavailable'])
})

test('a login that is refused fails what it was for, and nothing else', async () => {
  const admin = openAdmin({ ...connection('admin'), password: 'another' })
  onTestFinished(() => admin.close())
  await expect(admin.brokers()).rejects.toMatchObject({ code: 'kafka.refused' })
})
