import { webcrypto, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import type { Layout } from './layout.ts'
import { writeSecret } from './secrets.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMs = 86_400_000
const validityDays = 825
/** Long before the end: a stack that runs keeps the certificates that it started with. */
const renewalDays = 90
const serverAuthentication = '1.3.6.1.5.5.7.3.1'
const clientAuthentication = '1.3.6.1.5.5.7.3.2'

/** The local certificate authority of one installation and what it signed. All files are PEM. */
export type Certificates = {
  readonly caFile: string
  /** Private key, certificate and CA in one file, as Kafka's PEM keystore wants them. */
  keystoreFile(name: string): string
  keyFile(name: string): string
  certificateFile(name: string): string
}

/**
 * Makes the certificates when one is missing, was signed by another CA or is about to expire.
 * Names become their common names; all are valid for loopback only.
 */
export async function loadCertificates(layout: Layout, names: readonly string[]): Promise<Certificates> {
  await mkdir(layout.certificates, { recursive: true, mode: 0o700 })
  const files: Certificates = {
    caFile: join(layout.certificates, 'ca.pem'),
    keystoreFile: (name) => join(layout.certificates, `${name}.keystore.pem`),
    keyFile: (name) => join(layout.certificates, `${name}.key`),
    certificateFile: (name) => join(layout.certificates, `${name}.pem`),
  }
  x509.cryptoProvider.set(webcrypto)
  if (!(await areUsable(files, names))) await makeAll(files, names)
  return files
}

async function areUsable(files: Certificates, names: readonly string[]): Promise<boolean> {
  const authority = await readCertificate(files.caFile)
  const leaves = await Promise.all(names.map((name) => readCertificate(files.keystoreFile(name))))
  const renewFrom = Date.now() + renewalDays * dayMs
  return leaves.every((leaf) => authority && leaf?.verify(authority.publicKey) && Date.parse(leaf.validTo) > renewFrom)
}

/** The CA's own key is thrown away once it has signed: a new name means a new CA, and nothing else can ever be signed. */
async function makeAll(files: Certificates, names: readonly string[]): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: 'CN=millrace local CA',
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  })
  for (const name of names) await makeCertificate(files, name, authority, keys.privateKey)
  await writeSecret(files.caFile, `${authority.toString('pem')}\n`)
}

async function makeCertificate(
  files: Certificates,
  name: string,
  authority: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(),
    subject: `CN=${name}`,
    issuer: authority.subject,
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
      new x509.ExtendedKeyUsageExtension([serverAuthentication, clientAuthentication]),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature),
    ],
  })
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  const pem = certificate.toString('pem')
  await writeSecret(files.keyFile(name), `${key}\n`)
  await writeSecret(files.certificateFile(name), `${pem}\n`)
  await writeSecret(files.keystoreFile(name), `${key}\n${pem}\n${authority.toString('pem')}\n`)
}

function validity() {
  const now = Date.now()
  const serialNumber = Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString('hex')
  return { serialNumber, notBefore: new Date(now - dayMs), notAfter: new Date(now + validityDays * dayMs) }
}

/** The first certificate of a PEM file, or `undefined` when there is none. */
async function readCertificate(file: string): Promise<X509Certificate | undefined> {
  try {
    return new X509Certificate(await readFile(file))
  } catch {
    return undefined
  }
}
