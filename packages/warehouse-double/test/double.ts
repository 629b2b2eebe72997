import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@millrace/service/logger'
import * as z from 'zod'
import { configSchema } from '../src/config.ts'
import { startWarehouseDouble } from '../src/server.ts'

export const adminToken = 'admin-token-of-a-test'

export function newKeyPair() {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
}

export type Claims = Partial<Record<'iss' | 'sub' | 'iat' | 'exp' | 'alg', string | number>>

/** A token as a client makes it, with what a test changes in it. */
export function tokenOf(privateKeyPem: string, changed: Claims = {}): string {
  const { alg = 'RS256', ...claims } = changed
  const key = createPrivateKey(privateKeyPem)
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const fingerprint = `SHA256:${createHash('sha256').update(spki).digest('base64')}`
  const now = Math.floor(Date.now() / 1_000)
  const standard = { iss: `MILLRACE.LOADER.${fingerprint}`, sub: 'MILLRACE.LOADER', iat: now, exp: now + 3_600 }
  const signed = [
    { alg, typ: 'JWT' },
    { ...standard, ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`
}

const resultSchema = z.looseObject({
  code: z.string(),
  message: z.string(),
  data: z.array(z.array(z.string().nullable())).default([]),
})

/** The double in this process, on a port and in a folder of its own; `restart` opens the same folder again. */
export async function startDouble() {
  const directory = await mkdtemp(join(tmpdir(), 'warehouse-double-'))
  const { privateKey, publicKey } = newKeyPair()
  const publicKeyFile = join(directory, 'key.pub')
  await writeFile(publicKeyFile, publicKey)
  const config = configSchema.parse({
    port: 0,
    publicHost: 'millrace.example',
    dataDir: join(directory, 'data'),
    account: 'millrace',
    users: [{ name: 'loader', publicKeyFile }],
    adminToken,
  })
  const start = () => startWarehouseDouble(config, createLogger('test', 'silent'))
  let running = await start()

  const call = (method: string, path: string, body?: unknown, token = tokenOf(privateKey)) =>
    fetch(`${running.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const statement = async (sql: string) => {
    const response = await call('POST', '/api/v2/statements', { statement: sql })
    return { status: response.status, ...resultSchema.parse(await response.json()) }
  }
  return {
    directory,
    privateKey,
    call,
    statement,
    /** The rows of a statement that must succeed. */
    rows: async (sql: string) => {
      const { status, message, data } = await statement(sql)
      if (status !== 200) throw new Error(message)
      return data
    },
    restart: async () => {
      await running.close()
      running = await start()
    },
    close: async () => {
      await running.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export type Double = Awaited<ReturnType<typeof startDouble>>
