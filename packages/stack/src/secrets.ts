import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { Layout } from './layout.ts'
import { parsedOrRefused } from './state-file.ts'

/** The Kafka users of the platform's own parts: one each, so that each gets the permissions it needs and no more. */
export const kafkaComponents = [
  'broker',
  'admin',
  'registry',
  'gateway',
  'flink',
  'connect',
  'monitor',
  'worker',
] as const

/** The users of the Schema Registry and their Apicurio roles. */
export const registryRoles = { admin: 'sr-admin', gateway: 'sr-developer', reader: 'sr-readonly' } as const
export type RegistryUser = keyof typeof registryRoles

const passwords = z.strictObject({
  clusterId: z.string(),
  kafka: z.record(z.string(), z.string()),
  registry: z.record(z.string(), z.string()),
})
type Passwords = z.infer<typeof passwords>

/** The secrets of one installation: made fresh, kept in files that only their owner can read. */
export type Secrets = {
  readonly clusterId: string
  kafkaPassword(user: string): string
  registryPassword(user: RegistryUser): string
  readonly issuerKeyFile: string
  readonly jwksFile: string
  readonly warehouseKeyFile: string
  readonly warehousePublicKeyFile: string
  /** A Java properties file with the entry `key`: what Connect's file config provider reads. */
  readonly warehouseKeyPropertiesFile: string
  /** With what dead letters of sensitive types are sealed. To rotate: add a key to it, name it as the current one, keep the others. */
  readonly sealingKeysFile: string
}

/**
 * Reads an installation's secrets, making those that are missing. `readers` are the Kafka users of the definition.
 * @throws MillraceError `stack.failed` when the file of passwords is not one of this version's.
 */
export async function loadSecrets(layout: Layout, readers: readonly string[]): Promise<Secrets> {
  await mkdir(layout.secrets, { recursive: true, mode: 0o700 })
  await chmod(layout.secrets, 0o700)
  const file = join(layout.secrets, 'passwords.json')
  const kept = await readPasswords(file)
  const all: Passwords = {
    clusterId: kept?.clusterId ?? kafkaUuid(),
    kafka: completed(kept?.kafka, [...kafkaComponents, ...readers]),
    registry: completed(kept?.registry, Object.keys(registryRoles)),
  }
  await writeSecret(file, JSON.stringify(all, undefined, 2))
  return {
    clusterId: all.clusterId,
    kafkaPassword: (user) => required(all.kafka, user),
    registryPassword: (user) => required(all.registry, user),
    ...(await issuerKeys(layout)),
    ...(await warehouseKeys(layout)),
    ...(await sealingKeys(layout)),
  }
}

/**
 * A random UUID as Kafka writes it: base64url. Never one that begins with a dash, which Kafka's own tools would take for an option
 * (the same rule as `org.apache.kafka.common.Uuid.randomUuid`).
 */
export function kafkaUuid(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? kafkaUuid() : id
}

/** Writes a file that only its owner can read, whatever its mode was before; moved into place, so that it is never half there. */
export async function writeSecret(file: string, content: string): Promise<void> {
  const whole = `${file}.new`
  await writeFile(whole, content, { mode: 0o600 })
  await chmod(whole, 0o600)
  await rename(whole, file)
}

async function readPasswords(file: string): Promise<Passwords | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : parsedOrRefused(file, text, passwords)
}

function completed(kept: Readonly<Record<string, string>> = {}, users: readonly string[]): Record<string, string> {
  const missing = users.filter((user) => kept[user] === undefined)
  return { ...kept, ...Object.fromEntries(missing.map((user) => [user, randomBytes(24).toString('base64url')])) }
}

function required(passwordsOf: Readonly<Record<string, string>>, user: string): string {
  const password = passwordsOf[user]
  if (password === undefined) throw new RangeError(`no password was made for the user "${user}"`)
  return password
}

/** Where the private key of the local token issuer is kept. */
export function issuerKeyFileOf(layout: Layout): string {
  return join(layout.secrets, 'issuer.jwk')
}

async function issuerKeys(layout: Layout) {
  const issuerKeyFile = issuerKeyFileOf(layout)
  const jwksFile = join(layout.secrets, 'issuer.jwks')
  if (!(await exists(issuerKeyFile)) || !(await exists(jwksFile))) {
    const { privateKey, publicKey } = newIssuerKey()
    await writeSecret(jwksFile, JSON.stringify({ keys: [publicKey] }))
    await writeSecret(issuerKeyFile, JSON.stringify(privateKey))
  }
  return { issuerKeyFile, jwksFile }
}

/** A key pair of the issuer as JSON Web Keys with one `kid`. */
export function newIssuerKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const description = { alg: 'ES256', use: 'sig', kid: randomBytes(8).toString('hex') }
  return {
    privateKey: { ...privateKey.export({ format: 'jwk' }), ...description },
    publicKey: { ...publicKey.export({ format: 'jwk' }), ...description },
  }
}

async function warehouseKeys(layout: Layout) {
  const warehouseKeyFile = join(layout.secrets, 'snowflake_key.p8')
  const warehousePublicKeyFile = join(layout.secrets, 'snowflake_key.pub')
  const warehouseKeyPropertiesFile = join(layout.secrets, 'connect', 'snowflake.properties')
  if (!(await exists(warehouseKeyPropertiesFile))) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    await mkdir(join(layout.secrets, 'connect'), { recursive: true, mode: 0o700 })
    await writeSecret(warehouseKeyFile, privateKey)
    await writeSecret(warehousePublicKeyFile, publicKey)
    const bare = privateKey.replaceAll(/-----[A-Z ]+-----|\s/g, '')
    await writeSecret(warehouseKeyPropertiesFile, `key=${bare}\n`)
  }
  return { warehouseKeyFile, warehousePublicKeyFile, warehouseKeyPropertiesFile }
}

async function sealingKeys(layout: Layout) {
  const sealingKeysFile = join(layout.secrets, 'sealing-keys.json')
  if (!(await exists(sealingKeysFile))) {
    const current = randomBytes(8).toString('hex')
    const keys = { [current]: randomBytes(32).toString('base64') }
    await writeSecret(sealingKeysFile, JSON.stringify({ current, keys }))
  }
  return { sealingKeysFile }
}

async function exists(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  )
}

/** A password as Apicurio's embedded users keep it: an unsalted digest, which is all that it offers. */
export function registryPasswordDigest(user: string, password: string): string {
  return createHash('sha256').update(`${user}:Quarkus:${password}`).digest('hex')
}
