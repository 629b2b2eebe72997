import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Certificates, loadCertificates } from '../src/certificates.ts'
import { beginRotation } from '../src/issuer-rotation.ts'
import { type Layout, layoutOf } from '../src/layout.ts'
import { kafkaUuid, loadSecrets } from '../src/secrets.ts'
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

  test("name the cluster by an id that Kafka's tools do not take for an option", () => {
    const ids = Array.from({ length: 4_000 }, kafkaUuid)
    expect(ids.filter((id) => !/^\w[\w-]{21}$/.test(id))).toEqual([])
  })

  test('are the same to the byte at the next start, and readable by their owner alone even if they were not', async () => {
    const { issuerKeyFile, warehouseKeyFile, clusterId } = await loadSecrets(layout, [])
    const passwords = join(layout.secrets, 'passwords.json')
    const before = await Promise.all([issuerKeyFile, warehouseKeyFile, passwords].map((file) => readFile(file, 'utf8')))
    await chmod(passwords, 0o644)
    expect((await loadSecrets(layout, [])).clusterId).toBe(clusterId)
    const after = await Promise.all([issuerKeyFile, warehouseKeyFile, passwords].map((file) => readFile(file, 'utf8')))
    expect(after).toEqual(before)
    expect((await modesBelow(layout.secrets)).filter((line) => !line.startsWith('600 '))).toEqual([])
  })

  test.each([
    ['half written', '{"clusterId": "abc", "kaf'],
    ['of another version', '{"version": 2, "clusterId": "abc", "kafka": {}, "registry": {}}'],
  ])('in a file that is %s are refused with the way out, and not written over', async (_, text) => {
    const file = join(layout.secrets, 'passwords.json')
    await writeFile(file, text)
    await expect(loadSecrets(layout, [])).rejects.toThrow(
      `${file} is damaged or from another version of Millrace: stop what runs there, then delete the state folder ${layout.state}`,
    )
    expect(await readFile(file, 'utf8')).toBe(text)
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

  test('sign with a new key when the issuer rotates it, while the old one is good until it is retired', async () => {
    const secrets = await loadSecrets(layout, [])
    const mint = () => mintToken(secrets, { subject: 'me', scopes: [], ttlSeconds: 60 })
    const isGood = async (token: string) => {
      const jwks = keySet.parse(JSON.parse(await readFile(secrets.jwksFile, 'utf8')))
      return jwtVerify(token, createLocalJWKSet(jwks)).then(
        () => true,
        () => false,
      )
    }
    const old = await mint()
    const rotation = await beginRotation(secrets)
    expect(await isGood(await mint())).toBe(true)
    await rotation.use()
    const fresh = await mint()
    expect([await isGood(old), await isGood(fresh)]).toEqual([true, true])
    await rotation.retire()
    expect([await isGood(old), await isGood(fresh)]).toEqual([false, true])
    expect(await readFile(secrets.jwksFile, 'utf8')).not.toContain('"d"')
    expect((await modesBelow(layout.secrets)).filter((line) => !line.startsWith('600 '))).toEqual([])
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

describe('the certificates of an installation', () => {
  const dayMs = 86_400_000
  const certificate = async (file: string) => new X509Certificate(await readFile(file))

  test('are good for loopback alone, signed by a CA whose key is kept nowhere', async () => {
    const certificates = await loadCertificates(layout, ['kafka-1'])
    const authority = await certificate(certificates.caFile)
    const leaf = await certificate(certificates.certificateFile('kafka-1'))
    expect(authority.ca).toBe(true)
    expect(leaf.ca).toBe(false)
    expect(leaf.subject).toBe('CN=kafka-1')
    expect(leaf.verify(authority.publicKey)).toBe(true)
    expect(leaf.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1')
    expect(leaf.checkHost('example.org')).toBeUndefined()
    expect(leaf.checkPrivateKey(createPrivateKey(await readFile(certificates.keyFile('kafka-1'))))).toBe(true)
    const modes = await modesBelow(layout.certificates)
    expect(modes.filter((line) => !line.startsWith('600 '))).toEqual([])
    expect((await readdir(layout.certificates)).filter((name) => name.startsWith('ca'))).toEqual(['ca.pem'])
  })

  test('are valid from now on, for longer than two years', async () => {
    const certificates = await loadCertificates(layout, ['kafka-1'])
    const { validFromDate, validToDate } = await certificate(certificates.certificateFile('kafka-1'))
    expect(validFromDate.getTime()).toBeLessThan(Date.now())
    expect(validToDate.getTime()).toBeGreaterThan(Date.now() + 2 * 365 * dayMs)
  })

  test('are kept as long as they serve', async () => {
    const { caFile } = await loadCertificates(layout, ['kafka-1', 'registry'])
    const before = await readFile(caFile, 'utf8')
    await loadCertificates(layout, ['registry'])
    expect(await readFile(caFile, 'utf8')).toBe(before)
  })

  test.each<[string, (certificates: Certificates) => Promise<void>]>([
    ['a name is new', (certificates) => rm(certificates.keystoreFile('registry'))],
    ['one is damaged', (certificates) => writeFile(certificates.keystoreFile('registry'), 'nothing')],
    [
      'one is of another CA',
      async (certificates) => copyFile(await otherKeystore(), certificates.keystoreFile('registry')),
    ],
  ])('are all made again, by a new CA, when %s', async (_, damage) => {
    const certificates = await loadCertificates(layout, ['kafka-1', 'registry'])
    const before = await readFile(certificates.caFile, 'utf8')
    await damage(certificates)
    await loadCertificates(layout, ['kafka-1', 'registry'])
    expect(await readFile(certificates.caFile, 'utf8')).not.toBe(before)
    const authority = await certificate(certificates.caFile)
    for (const name of ['kafka-1', 'registry']) {
      expect((await certificate(certificates.keystoreFile(name))).verify(authority.publicKey)).toBe(true)
    }
  })

  test.each([
    [800, true],
    [700, false],
  ])('%i days old are renewed: %s', async (days, renewed) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - days * dayMs })
    onTestFinished(() => void vi.useRealTimers())
    const { caFile } = await loadCertificates(layout, ['kafka-1'])
    const before = await readFile(caFile, 'utf8')
    vi.useRealTimers()
    await loadCertificates(layout, ['kafka-1'])
    expect((await readFile(caFile, 'utf8')) !== before).toBe(renewed)
  })

  async function otherKeystore(): Promise<string> {
    const other = await loadCertificates({ ...layout, certificates: join(layout.temporary, 'other') }, ['registry'])
    return other.keystoreFile('registry')
  }
})
