import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
} from 'node:crypto'

/** A key whose public half the issuer may publish under `kid`. */
export type Signer = { readonly kid: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject }

/** Who issues tokens for whom. */
export type Party = { readonly issuer: string; readonly audience: string }

export type Json = Readonly<Record<string, unknown>>
/** Text is taken as it is, so that what no serializer writes can be said. */
export type Part = Json | string

export function publicJwk({ kid, publicKey }: Signer, members: Json = {}): Json {
  return { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', ...members }
}

export function signer(kid: string, type: 'ec' | 'rsa' | 'ed25519' | 'p384', modulusLength = 2_048): Signer {
  return { kid, ...pairOf(type, modulusLength) }
}

function pairOf(type: 'ec' | 'rsa' | 'ed25519' | 'p384', modulusLength: number) {
  switch (type) {
    case 'ec':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' })
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength })
    case 'ed25519':
      return generateKeyPairSync('ed25519')
  }
}

export const encode = (part: Part): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')

/** A token with any header and payload; `signature` gets what is to be signed. */
export function tokenWith(header: Part, payload: Part, signature: (input: string) => string | Buffer): string {
  const input = `${encode(header)}.${encode(payload)}`
  const made = signature(input)
  return `${input}.${typeof made === 'string' ? made : made.toString('base64url')}`
}

export const es256 =
  (key: KeyObject, hash = 'sha256') =>
  (input: string): Buffer =>
    signBytes(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
export const rs256 =
  (key: KeyObject, hash = 'sha256') =>
  (input: string): Buffer =>
    signBytes(hash, Buffer.from(input), key)
export const ps256 =
  (key: KeyObject, saltLength = 32) =>
  (input: string): Buffer =>
    signBytes('sha256', Buffer.from(input), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
export const eddsa =
  (key: KeyObject) =>
  (input: string): Buffer =>
    signBytes(null, Buffer.from(input), key)
export function claims({ issuer, audience }: Party, members: Json = {}): Json {
  const now = Math.floor(Date.now() / 1_000)
  const scope = 'events:write:* events:read:* catalog:read catalog:write ops:read metrics:read'
  return { iss: issuer, aud: audience, sub: 'eve', iat: now, exp: now + 600, scope, ...members }
}

/** The key of a JWK with its private half. */
export function signerOf(jwk: { kid: string; kty: string; crv: string; x: string; y: string; d: string }): Signer {
  const { kid, ...numbers } = jwk
  const privateKey = createPrivateKey({ key: numbers, format: 'jwk' })
  return { kid, privateKey, publicKey: createPublicKey(privateKey) }
}
