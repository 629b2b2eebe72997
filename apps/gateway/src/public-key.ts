/** Which keys of a JWKS are good enough to verify with: public, for signatures, and strong (RFC 8725 §3.2, §3.5). */
import { createPublicKey, type JsonWebKeyInput, type KeyObject } from 'node:crypto'
import * as z from 'zod'

export const algorithms = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'] as const
export type Algorithm = (typeof algorithms)[number]

export type VerificationKey = {
  readonly kid: string
  /** What a token that names this key may be signed with: a key is never good for an algorithm of another family. */
  readonly algorithms: readonly Algorithm[]
  readonly key: KeyObject
}

const modulusBitsMin = 2_048
/** Verifying with a longer one would cost an attacker nothing and us much. */
const modulusBitsMax = 8_192
/** With an exponent as small as 1 or 3 signatures can be made without the private key. */
const exponentMin = 65_537n
const kidLengthMax = 256

const common = {
  kid: z.string().min(1).max(kidLengthMax),
  use: z.literal('sig').optional(),
  key_ops: z
    .array(z.string())
    .refine((operations) => operations.includes('verify'))
    .optional(),
  // A private key in a public set is known to everybody.
  d: z.undefined().optional(),
}

const jwkShape = z.discriminatedUnion('kty', [
  z.object({
    ...common,
    kty: z.literal('EC'),
    crv: z.string(),
    x: z.string(),
    y: z.string(),
    alg: z.string().optional(),
  }),
  z.object({ ...common, kty: z.literal('OKP'), crv: z.string(), x: z.string(), alg: z.string().optional() }),
  z.object({ ...common, kty: z.literal('RSA'), n: z.string(), e: z.string(), alg: z.string().optional() }),
])

type Jwk = z.output<typeof jwkShape>

/** The key that a JWK describes, or why it is not used. */
export function importPublicKey(jwk: unknown): VerificationKey | { readonly refused: string } {
  const parsed = jwkShape.safeParse(jwk)
  if (!parsed.success) return { refused: 'it is no public key for signatures with a kid' }
  const { kid, alg } = parsed.data
  const { possible, numbers } = familyOf(parsed.data)
  const usable = alg === undefined ? possible : possible.filter((name) => name === alg)
  if (usable.length === 0) return { refused: 'its algorithm or curve is not one of ours' }
  try {
    const key = createPublicKey({ key: numbers, format: 'jwk' })
    return isStrong(key) ? { kid, algorithms: usable, key } : { refused: 'its RSA modulus or exponent is too weak' }
  } catch {
    return { refused: 'its numbers are no key' }
  }
}

type Family = { readonly possible: readonly Algorithm[]; readonly numbers: JsonWebKeyInput['key'] }

function familyOf(jwk: Jwk): Family {
  switch (jwk.kty) {
    case 'RSA':
      return { possible: ['RS256', 'PS256'], numbers: { kty: 'RSA', n: jwk.n, e: jwk.e } }
    case 'OKP':
      return { possible: jwk.crv === 'Ed25519' ? ['EdDSA'] : [], numbers: { kty: 'OKP', crv: jwk.crv, x: jwk.x } }
    case 'EC':
      return { possible: byCurve.get(jwk.crv) ?? [], numbers: { kty: 'EC', crv: jwk.crv, x: jwk.x, y: jwk.y } }
  }
}

const byCurve = new Map<string, readonly Algorithm[]>([
  ['P-256', ['ES256']],
  ['P-384', ['ES384']],
])

function isStrong({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (asymmetricKeyType !== 'rsa') return true
  const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {}
  return modulusLength >= modulusBitsMin && modulusLength <= modulusBitsMax && publicExponent >= exponentMin
}
