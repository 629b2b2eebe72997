import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { createLogger } from '@millrace/service/logger'
import { loadCertificates } from '@millrace/stack/certificates'
import { layoutOf } from '@millrace/stack/layout'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createGatewayMetrics } from '../src/metrics.ts'
import { createServer } from '../src/server.ts'
import { openTls } from '../src/tls.ts'

const pollMs = 20
const patience = { timeout: 20_000 }

/** Two certificates of one authority. */
async function certificates() {
  const directory = await mkdtemp(join(tmpdir(), 'tls-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const made = await loadCertificates(layoutOf(directory), ['first', 'second'])
  const read = (file: string) => readFile(file, 'utf8')
  const pairOf = async (name: string) => ({
    cert: await read(made.certificateFile(name)),
    key: await read(made.keyFile(name)),
  })
  return { first: await pairOf('first'), second: await pairOf('second'), ca: await read(made.caFile) }
}

async function server(first: { cert: string; key: string }) {
  const directory = await mkdtemp(join(tmpdir(), 'tls-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const files = { certFile: join(directory, 'gateway.pem'), keyFile: join(directory, 'gateway.key') }
  /** As certificate managers do: a whole file takes the place of the old. */
  const put = async (file: string, text: string) => {
    await writeFile(`${file}.new`, text)
    await rename(`${file}.new`, file)
  }
  await put(files.certFile, first.cert)
  await put(files.keyFile, first.key)
  const warnings: string[] = []
  const onTrouble = (sentence: string) => warnings.push(sentence)
  const tls = await openTls(files, onTrouble, pollMs)
  const app = createServer(createGatewayMetrics(), createLogger('test', 'silent'), { tls })
  onTestFinished(async () => {
    await app.close()
    await tls.close()
  })
  app.get('/', () => 'here')
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
  return { port, files, put, warnings }
}

/** Who the server says it is on a new connection. */
function subjectAt(port: number, options: object = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

function statusOn(port: number, ca: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, ca, agent: false }, (answer) => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode ?? 0))
    })
    asked.on('error', reject)
    asked.end()
  })
}

test('a new certificate is taken while requests come, and none of them fails', async () => {
  const { first, second, ca } = await certificates()
  const { port, files, put, warnings } = await server(first)
  const statuses: number[] = []
  let running = true
  onTestFinished(() => {
    running = false
  })
  const load = async () => {
    while (running) statuses.push(await statusOn(port, ca))
  }
  const clients = Array.from({ length: 4 }, load)
  await vi.waitUntil(() => statuses.length > 20, patience)
  await put(files.keyFile, second.key)
  await put(files.certFile, second.cert)
  await vi.waitUntil(async () => (await subjectAt(port)) === 'second', patience)
  const renewedAt = statuses.length
  await vi.waitUntil(() => statuses.length > renewedAt + 20, patience)
  running = false
  await Promise.all(clients)
  expect(statuses.filter((status) => status !== 200)).toEqual([])
  // Whoever looked between the two files said so, once.
  expect(warnings.length).toBeLessThanOrEqual(1)
})

test('a pair that is no good leaves the old one in place, with a warning, until a good one comes', async () => {
  const { first, second, ca } = await certificates()
  const { port, files, put, warnings } = await server(first)
  await put(files.certFile, second.cert) // not of this key
  await vi.waitUntil(() => warnings.length === 1, patience)
  expect(await subjectAt(port)).toBe('first')
  await put(files.certFile, 'nonsense')
  await vi.waitUntil(() => warnings.length === 2, patience)
  expect(await subjectAt(port)).toBe('first')
  await rm(files.certFile)
  await vi.waitUntil(() => warnings.length > 2, patience)
  expect(await statusOn(port, ca)).toBe(200)
  await put(files.keyFile, second.key)
  await put(files.certFile, second.cert)
  await vi.waitUntil(async () => (await subjectAt(port)) === 'second', patience)
})

test('TLS 1.2 and 1.3 are spoken, 1.1 and plain HTTP are not', async () => {
  const { port } = await server((await certificates()).first)
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    expect(await subjectAt(port, { minVersion: version, maxVersion: version })).toBe('first')
  }
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
  await expect(subjectAt(port, old)).rejects.toThrow()
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
})

test('without a good pair there is no start', async () => {
  const { first, second } = await certificates()
  await expect(server({ cert: first.cert, key: second.key })).rejects.toThrow(/key values mismatch/)
  await expect(openTls({ certFile: '/nowhere.pem', keyFile: '/nowhere.key' }, () => undefined)).rejects.toThrow(
    /ENOENT/,
  )
})
