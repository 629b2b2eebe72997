import { createPublicKey, X509Certificate } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { loadCertificates } from '../src/certificates.ts'
import { type Layout, layoutOf } from '../src/layout.ts'
import { loadSecrets } from '../src/secrets.ts'
import { mintToken, tokenAudience, tokenIssuer } from '../src/token.ts'
import { createLocalJWKSet, jwtVerify } from 'jose'
import * as z from 'zod'

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })
let layout: Layout

beforeEach(async () => {
  layout = layoutOf(await mkdtemp(join(tmpdir(), 'installation-')))
  for (const directory of Object.values(layout)) await mkdir(directory, { recursive: true })
  onTestFinished(() => rm(layout.state, { recursive: true }))
})

async function modesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Promise.all(files.map(async (file) => `${((await stat(file)).mode & 0o777).toString(8)} ${file}`))
}

describe('the secrets of an installation', () => {
  test('are made once, differ between installations, and only their owner can read them', async () => {
    const first = await loadSecrets(layout, ['auditor'])
    const again = await loadSecrets(layout, ['auditor'])
    expect(again.kafkaPassword('gateway')).toBe(first.kafkaPassword('gateway'))
    const users = ['broker', 'admin', 'gateway', 'flink', 'connect', 'monitor', 'registry', 'auditor']
    expect(new Set(users.map((user) => first.kafkaPassword(user))).size).toBe(users.length)
    const modes = await modesBelow(layout.secrets)
    expect(modes.length).toBeGreaterThanOrEqual(6)
    expect(modes.filter((line) => !line.startsWith('600 '))).toEqual([])
  })

  test('give a reader that the definition names later a password of its own', async () => {
    const first = await loadSecrets(layout, [])
    expect(() => first.kafkaPassword('auditor')).toThrow(RangeError)
    const later = await loadSecrets(layout, ['auditor'])
    expect(later.kafkaPassword('auditor')).toHaveLength(32)
    expect(later.kafkaPassword('admin')).toBe(first.kafkaPassword('admin'))
  })

  test('sign tokens that the published key verifies, and publish no private key', async () => {
    const secrets = await loadSecrets(layout, [])
    const token = await mintToken(secrets, { subject: 'me', scopes: ['events:write:*'], ttlSeconds: 60 })
    const jwks = await readFile(secrets.jwksFile, 'utf8')
    expect(jwks).not.toContain('"d"')
    const { payload } = await jwtVerify(token, createLocalJWKSet(keySet.parse(JSON.parse(jwks))), {
      issuer: tokenIssuer,
      audience: tokenAudience,
    })
    expect(payload).toMatchObject({ sub: 'me', scope: 'events:write:*' })
  })

  test('hold a key pair for the warehouse whose halves belong together', async () => {
    const secrets = await loadSecrets(layout, [])
    const derived = createPublicKey(await readFile(secrets.warehouseKeyFile, 'utf8')).export({
      type: 'spki',
      format: 'pem',
    })
    expect(derived).toBe(await readFile(secrets.warehousePublicKeyFile, 'utf8'))
  })
})

test('certificates are good for loopback alone, signed by a CA whose key is kept nowhere', async () => {
  const certificates = await loadCertificates(layout, ['kafka-1'])
  const authority = new X509Certificate(await readFile(certificates.caFile))
  const leaf = new X509Certificate(await readFile(certificates.certificateFile('kafka-1')))
  expect(leaf.verify(authority.publicKey)).toBe(true)
  expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1')
  expect(leaf.checkHost('example.org')).toBeUndefined()
  const modes = await modesBelow(layout.certificates)
  expect(modes.filter((line) => !line.startsWith('600 '))).toEqual([])
  expect((await readdir(layout.certificates)).filter((name) => name.startsWith('ca'))).toEqual(['ca.pem'])
})
