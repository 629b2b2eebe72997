import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { WarehouseOptions } from '../src/snowflake-sql.ts'

const program = resolve(import.meta.dirname, '../../warehouse-double/src/main.ts')
const readyTimeoutMs = 20_000
const adminToken = 'admin-token-of-a-test'

/** The warehouse double as a process of its own, as the stack runs it. */
export async function startWarehouseDouble() {
  const directory = await mkdtemp(join(tmpdir(), 'warehouse-double-'))
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const port = await freePort()
  const publicKeyFile = join(directory, 'key.pub')
  await writeFile(publicKeyFile, publicKey)
  const configFile = join(directory, 'config.json')
  const users = [{ name: 'LOADER', publicKeyFile }]
  const dataDir = join(directory, 'data')
  const config = { port, publicHost: `127.0.0.1:${port}`, dataDir, account: 'MILLRACE', users, adminToken }
  await writeFile(configFile, JSON.stringify(config))
  const url = `http://127.0.0.1:${port}`
  const child = spawn(process.execPath, [program, '--config', configFile], { stdio: 'ignore' })
  await ready(url)
  const options: WarehouseOptions = {
    url,
    account: 'millrace',
    user: 'loader',
    role: 'LOADING',
    privateKeyPem: privateKey,
    timeoutMs: 10_000,
  }
  return {
    options,
    fault: (fault: Record<string, unknown>) =>
      fetch(`${url}/_admin/faults`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(fault),
      }),
    stop: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function ready(url: string): Promise<void> {
  const deadlineMs = Date.now() + readyTimeoutMs
  for (;;) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
    if (answer?.ok) return
    if (Date.now() > deadlineMs) throw new Error(`no warehouse double at ${url} within ${readyTimeoutMs} ms`)
    await delay(50)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
