/** Tokens that no gateway may take (RFC 8725, lists of attacks on JWT, CVEs of libraries for it). */
import { createHmac, type KeyObject, sign as signBytes } from 'node:crypto'
import {
  claims,
  eddsa,
  encode,
  es256,
  type Json,
  type Part,
  type Party,
  ps256,
  publicJwk,
  rs256,
  type Signer,
  signer,
  tokenWith,
} from './token.ts'

/** Whom the tokens are to deceive. */
export type Target = Party & {
  /** The issuer's own keys: used to sign what is wrong in another way than its signature. */
  readonly es256: Signer
  readonly rsa: Signer
  readonly ed25519: Signer
}

const p256Order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

const hmac =
  (secret: string | Buffer, hash = 'sha256') =>
  (input: string): Buffer =>
    createHmac(hash, secret).update(input).digest()

/** Every forged token with the name of what is wrong with it. */
export function forgedTokens(target: Target): readonly (readonly [name: string, token: string])[] {
  return [
    ...withoutSignature(target),
    ...withWrongAlgorithm(target),
    ...withBrokenSignature(target),
    ...withForeignKey(target),
    ...withStrangeHeader(target),
    ...withWrongClaims(target),
    ...withWrongForm(target),
  ]
}

type Cases = readonly (readonly [string, string])[]

function withoutSignature(target: Target): Cases {
  const { kid } = target.es256
  const good = tokenWith({ alg: 'ES256', kid }, claims(target), es256(target.es256.privateKey))
  const names = ['none', 'None', 'NONE', 'nOnE', 'none ', '', 'null', 'undefined']
  return [
    ...names.map((alg) => [`alg "${alg}", no signature`, tokenWith({ alg, kid }, claims(target), () => '')] as const),
    ...names.map(
      (alg) => [`alg "${alg}", a signature`, tokenWith({ alg, kid }, claims(target), () => 'AAAA')] as const,
    ),
    ['alg null', tokenWith({ alg: null, kid }, claims(target), es256(target.es256.privateKey))],
    ['alg missing', tokenWith({ kid }, claims(target), es256(target.es256.privateKey))],
    ['alg a list', tokenWith({ alg: ['ES256', 'none'], kid }, claims(target), es256(target.es256.privateKey))],
    ['the signature of a good token cut off', good.slice(0, good.lastIndexOf('.') + 1)],
    ['the signature and its dot cut off', good.slice(0, good.lastIndexOf('.'))],
  ]
}

function withWrongAlgorithm(target: Target): Cases {
  const { es256: ec, rsa, ed25519 } = target
  const made = (alg: string, kid: string, sign: (input: string) => Buffer) =>
    tokenWith({ alg, kid }, claims(target), sign)
  const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' })
  const der = (key: KeyObject) => key.export({ type: 'spki', format: 'der' })
  const hashes = [
    ['HS256', 'sha256'],
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
  ] as const
  return [
    ...hashes.flatMap(([alg, hash]): Cases => [
      [`${alg} with the RSA key's PEM`, made(alg, rsa.kid, hmac(pem(rsa.publicKey), hash))],
      [`${alg} with the EC key's PEM`, made(alg, ec.kid, hmac(pem(ec.publicKey), hash))],
      [`${alg} with the RSA key's DER`, made(alg, rsa.kid, hmac(der(rsa.publicKey), hash))],
      [`${alg} with the JWK's text`, made(alg, ec.kid, hmac(JSON.stringify(publicJwk(ec)), hash))],
    ]),
    ['HS256 with an empty secret', made('HS256', ec.kid, hmac(''))],
    ['HS256 with the secret "secret"', made('HS256', ec.kid, hmac('secret'))],
    ['HS256 with the PEM without its last newline', made('HS256', rsa.kid, hmac(pem(rsa.publicKey).slice(0, -1)))],
    ['ES384 by the P-256 key', made('ES384', ec.kid, es256(ec.privateKey, 'sha384'))],
    ['ES256 by the P-256 key over SHA-512', made('ES256', ec.kid, es256(ec.privateKey, 'sha512'))],
    ['ES256K named for the P-256 key', made('ES256K', ec.kid, es256(ec.privateKey))],
    ['RS256 named for the EC key', made('RS256', ec.kid, rs256(rsa.privateKey))],
    ['ES256 named for the RSA key', made('ES256', rsa.kid, es256(ec.privateKey))],
    ['EdDSA named for the EC key', made('EdDSA', ec.kid, eddsa(ed25519.privateKey))],
    ['ES256 named for the Ed25519 key', made('ES256', ed25519.kid, es256(ec.privateKey))],
    ['PS256 named, PKCS#1 v1.5 made', made('PS256', rsa.kid, rs256(rsa.privateKey))],
    ['RS256 named, PSS made', made('RS256', rsa.kid, ps256(rsa.privateKey))],
    ['RS512, which is not on the list', made('RS512', rsa.kid, rs256(rsa.privateKey, 'sha512'))],
    ['RS1', made('RS1', rsa.kid, rs256(rsa.privateKey, 'sha1'))],
    ['an algorithm in small letters', made('es256', ec.kid, es256(ec.privateKey))],
    ['an algorithm of encryption', made('RSA-OAEP', rsa.kid, rs256(rsa.privateKey))],
    ['an algorithm that every object has', made('constructor', ec.kid, es256(ec.privateKey))],
  ]
}

function withBrokenSignature(target: Target): Cases {
  const { es256: ec, rsa, ed25519 } = target
  const header = { alg: 'ES256', kid: ec.kid }
  const good = tokenWith(header, claims(target, { sub: 'ada', scope: '' }), es256(ec.privateKey))
  const [goodHeader = '', , goodSignature = ''] = good.split('.')
  const bytes = Buffer.from(goodSignature, 'base64url')
  const fixed = (signature: Buffer | string) => tokenWith(header, claims(target), () => signature)
  const number = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
  const both = (r: bigint, s: bigint) => fixed(Buffer.concat([number(r), number(s)]))
  const malleated = number(p256Order - BigInt(`0x${bytes.subarray(32).toString('hex')}`))
  return [
    ['r and s zero (CVE-2022-21449)', both(0n, 0n)],
    ['r zero', both(0n, 1n)],
    ['s zero', both(1n, 0n)],
    ['r and s one', both(1n, 1n)],
    ["r and s the group's order", both(p256Order, p256Order)],
    ['r the order, s one', both(p256Order, 1n)],
    ['all bits set', fixed(Buffer.alloc(64, 255))],
    [
      'in DER, as TLS has it',
      tokenWith(header, claims(target), (input) => signBytes('sha256', Buffer.from(input), ec.privateKey)),
    ],
    ['an empty DER sequence', fixed(Buffer.from('3000', 'hex'))],
    ['zeros in DER', fixed(Buffer.from('3006020100020100', 'hex'))],
    ['a byte too few', tokenWith(header, claims(target), (input) => es256(ec.privateKey)(input).subarray(0, 63))],
    [
      'a byte too many',
      tokenWith(header, claims(target), (input) => Buffer.concat([es256(ec.privateKey)(input), Buffer.alloc(1)])),
    ],
    ['of another token', `${goodHeader}.${encode(claims(target))}.${goodSignature}`],
    ['of another token, malleated', fixed(Buffer.concat([bytes.subarray(0, 32), malleated]))],
    [
      'over the payload alone',
      tokenWith(header, claims(target), (input) => es256(ec.privateKey)(input.split('.')[1] ?? '')),
    ],
    ['of RSA, all zeros', tokenWith({ alg: 'RS256', kid: rsa.kid }, claims(target), () => Buffer.alloc(256))],
    [
      'of RSA, the number one',
      tokenWith({ alg: 'RS256', kid: rsa.kid }, claims(target), () =>
        Buffer.concat([Buffer.alloc(255), Buffer.from([1])]),
      ),
    ],
    ['of RSA, empty', tokenWith({ alg: 'PS256', kid: rsa.kid }, claims(target), () => 'AA')],
    ['of Ed25519, all zeros', tokenWith({ alg: 'EdDSA', kid: ed25519.kid }, claims(target), () => Buffer.alloc(64))],
    [
      'of Ed25519, the identity point',
      tokenWith({ alg: 'EdDSA', kid: ed25519.kid }, claims(target), () =>
        Buffer.concat([Buffer.from([1]), Buffer.alloc(63)]),
      ),
    ],
  ]
}

function withForeignKey(target: Target): Cases {
  const foreign = signer(target.es256.kid, 'ec')
  const strangers: readonly [string, Json][] = [
    ['the kid of the issuer', {}],
    ['an embedded jwk (CVE-2018-0114)', { jwk: publicJwk(foreign) }],
    ['an embedded jwk and no kid', { jwk: publicJwk(foreign), kid: undefined }],
    ['a jku', { jku: 'http://127.0.0.1:1/jwks.json' }],
    ['a jku with the issuer in its user part', { jku: `https://issuer@127.0.0.1:1/jwks.json` }],
    ['a jku that is a file', { jku: 'file:///etc/passwd', kid: 'stranger' }],
    ['an x5u', { x5u: 'http://127.0.0.1:1/cert.pem' }],
    ['an x5c', { x5c: [foreign.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] }],
    ['no kid', { kid: undefined }],
    ['an empty kid', { kid: '' }],
    ['a kid nobody has', { kid: 'stranger' }],
    ['a kid that is a path', { kid: '../../../../dev/null' }],
    ['a kid that is a path, encoded', { kid: '..%2f..%2f..%2fetc%2fpasswd' }],
    ['a kid that is SQL', { kid: "' UNION SELECT 'secret' -- " }],
    ['a kid that is a command', { kid: '| /bin/sh -c id' }],
    ['a kid that is a URL', { kid: 'http://127.0.0.1:1/key' }],
    ['the kid __proto__', { kid: '__proto__' }],
    ['the kid constructor', { kid: 'constructor' }],
    ['a kid with a NUL', { kid: `${target.es256.kid}\0` }],
    ['a kid with a space before it', { kid: ` ${target.es256.kid}` }],
    ['a kid that is a number', { kid: 0 }],
    ['a kid that is a list', { kid: [target.es256.kid] }],
    ['a kid that is an object', { kid: { toString: target.es256.kid } }],
    ['a kid of 4000 characters', { kid: 'k'.repeat(4_000) }],
  ]
  const header = { alg: 'ES256', kid: target.es256.kid }
  return strangers.map(
    ([what, members]) =>
      [
        `a foreign key with ${what}`,
        tokenWith({ ...header, ...members }, claims(target), es256(foreign.privateKey)),
      ] as const,
  )
}

/** Signed by the issuer's own key, so that nothing but the header is wrong. */
function withStrangeHeader(target: Target): Cases {
  const { kid, privateKey } = target.es256
  const headers: readonly [string, Part][] = [
    ['crit with an unknown name', { alg: 'ES256', kid, crit: ['x-unknown'], 'x-unknown': 1 }],
    ['crit with exp', { alg: 'ES256', kid, crit: ['exp'], exp: 1 }],
    ['an empty crit', { alg: 'ES256', kid, crit: [] }],
    ['b64 false', { alg: 'ES256', kid, crit: ['b64'], b64: false }],
    ['b64 false and no crit', { alg: 'ES256', kid, b64: false }],
    ['zip', { alg: 'ES256', kid, zip: 'DEF' }],
    ['enc', { alg: 'ES256', kid, enc: 'A256GCM' }],
    ['a nested token', { alg: 'ES256', kid, cty: 'JWT' }],
    ['the typ of a DPoP proof', { alg: 'ES256', kid, typ: 'dpop+jwt' }],
    ['the typ of a logout token', { alg: 'ES256', kid, typ: 'logout+jwt' }],
    ['the typ of a security event', { alg: 'ES256', kid, typ: 'secevent+jwt' }],
    ['the typ JOSE', { alg: 'ES256', kid, typ: 'JOSE' }],
    ['a typ that is no text', { alg: 'ES256', kid, typ: 7 }],
    ['alg twice', `{"alg":"none","alg":"ES256","kid":"${kid}"}`],
    ['alg twice, once escaped', `{"\\u0061lg":"none","alg":"ES256","kid":"${kid}"}`],
    ['kid twice', `{"alg":"ES256","kid":"other","kid":"${kid}"}`],
    ['a byte order mark', `\uFEFF{"alg":"ES256","kid":"${kid}"}`],
    ['something after it', `{"alg":"ES256","kid":"${kid}"} {}`],
    ['single quotes', `{'alg':'ES256','kid':'${kid}'}`],
    ['a list around it', `[{"alg":"ES256","kid":"${kid}"}]`],
    ['its members inherited', `{"__proto__":{"alg":"ES256","kid":"${kid}"}}`],
    ['nothing in it', '{}'],
    ['null', 'null'],
    ['a number', '7'],
    ['deep nesting', `{"alg":"ES256","kid":"${kid}","typ":${'['.repeat(1_000)}${']'.repeat(1_000)}}`],
  ]
  return headers.map(
    ([what, header]) => [`a header with ${what}`, tokenWith(header, claims(target), es256(privateKey))] as const,
  )
}

/** Signed by the issuer's own key, so that nothing but the claims is wrong. */
function withWrongClaims(target: Target): Cases {
  const { issuer, audience } = target
  const now = Math.floor(Date.now() / 1_000)
  const text = JSON.stringify(claims(target))
  const payloads: readonly [string, Part][] = [
    ['exp now', claims(target, { exp: now })],
    ['exp a minute ago', claims(target, { exp: now - 60 })],
    ['exp in milliseconds long ago', claims(target, { exp: 1 })],
    ['exp negative', claims(target, { exp: -1 })],
    ['exp a text', claims(target, { exp: String(now + 600) })],
    ['exp a date', claims(target, { exp: '2999-01-01T00:00:00Z' })],
    ['exp missing', claims(target, { exp: undefined })],
    ['exp null', claims(target, { exp: null })],
    ['exp true', claims(target, { exp: true })],
    ['exp a list', claims(target, { exp: [now + 600] })],
    ['exp an object', claims(target, { exp: { valueOf: now + 600 } })],
    ['exp NaN', text.replace(/"exp":\d+/, '"exp":NaN')],
    ['exp Infinity', text.replace(/"exp":\d+/, '"exp":Infinity')],
    ['exp 1e400', text.replace(/"exp":\d+/, '"exp":1e400')],
    ['exp beyond 2^53', text.replace(/"exp":\d+/, '"exp":9007199254740993')],
    ['exp twice', text.replace(/"exp":\d+/, `"exp":1,"exp":${now + 600}`)],
    ['exp twice, once escaped', text.replace(/"exp":\d+/, `"\\u0065xp":1,"exp":${now + 600}`)],
    ['nbf in a minute', claims(target, { nbf: now + 60 })],
    ['nbf a text', claims(target, { nbf: '0' })],
    ['nbf 1e400', text.replace('{', '{"nbf":1e400,')],
    ['iat in a minute', claims(target, { iat: now + 60 })],
    ['iat a text', claims(target, { iat: String(now) })],
    ['aud missing', claims(target, { aud: undefined })],
    ['aud null', claims(target, { aud: null })],
    ['aud empty', claims(target, { aud: '' })],
    ['aud an empty list', claims(target, { aud: [] })],
    ['aud a list without ours', claims(target, { aud: ['urn:other', 'urn:another'] })],
    ['aud a prefix of ours', claims(target, { aud: audience.slice(0, -1) })],
    ['aud with ours as its prefix', claims(target, { aud: `${audience}.evil` })],
    ['aud with ours inside', claims(target, { aud: `x ${audience} y` })],
    ['aud two in a text', claims(target, { aud: `${audience},urn:other` })],
    ['aud in capitals', claims(target, { aud: audience.toUpperCase() })],
    ['aud a wildcard', claims(target, { aud: '*' })],
    ['aud an object', claims(target, { aud: { 0: audience, length: 1 } })],
    ['aud a list in a list', claims(target, { aud: [[audience]] })],
    ['aud twice', text.replace('{', '{"aud":"urn:other",')],
    ['iss missing', claims(target, { iss: undefined })],
    ['iss another', claims(target, { iss: 'urn:other' })],
    ['iss with a slash after it', claims(target, { iss: `${issuer}/` })],
    ['iss in capitals', claims(target, { iss: issuer.toUpperCase() })],
    ['iss a prefix of ours', claims(target, { iss: issuer.slice(0, -1) })],
    ['iss with ours as its prefix', claims(target, { iss: `${issuer}.evil` })],
    ['iss a list', claims(target, { iss: [issuer] })],
    ['iss with a NUL', claims(target, { iss: `${issuer}\0` })],
    ['sub missing', claims(target, { sub: undefined })],
    ['sub empty', claims(target, { sub: '' })],
    ['sub a number', claims(target, { sub: 7 })],
    ['sub an object', claims(target, { sub: { $ne: null } })],
    ['sub of 4000 characters', claims(target, { sub: 's'.repeat(4_000) })],
    ['a scope that is a list', claims(target, { scope: ['events:write:*'] })],
    ['a payload that is null', 'null'],
    ['a payload that is a list', `[${text}]`],
    ['a payload that is a text', JSON.stringify(text)],
    ['an empty payload', '{}'],
    ['claims that are inherited', `{"__proto__":${text}}`],
    ['a payload that is no JSON', text.slice(1)],
    ['a payload with a byte order mark', `\uFEFF${text}`],
  ]
  const header = { alg: 'ES256', kid: target.es256.kid, typ: 'at+jwt' }
  return payloads.map(([what, payload]) => [what, tokenWith(header, payload, es256(target.es256.privateKey))] as const)
}

function withWrongForm(target: Target): Cases {
  const { kid, privateKey } = target.es256
  const good = tokenWith({ alg: 'ES256', kid }, claims(target), es256(privateKey))
  const [header = '', payload = '', signature = ''] = good.split('.')
  const jwe = encode({ alg: 'RSA-OAEP', enc: 'A256GCM', kid: target.rsa.kid })
  const tail = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  // 64 bytes leave 4 bits over in the last character: those that differ in them alone decode to the same bytes.
  const respelled = signature.slice(0, -1) + (tail[tail.indexOf(signature.slice(-1)) + 1] ?? '')
  return [
    ['a JWE', `${jwe}.AAAA.AAAA.AAAA.AAAA`],
    ['a JWE of three parts', `${jwe}.AAAA.AAAA`],
    ['a JWS in JSON', JSON.stringify({ payload, protected: header, signature })],
    ['four parts', `${good}.AAAA`],
    ['one part', header],
    ['dots alone', '..'],
    ['an empty header', `.${payload}.${signature}`],
    ['nothing between its dots', `${header}..${signature}`],
    ['padded base64', `${header}.${payload}.${signature}==`],
    [
      'the alphabet of plain base64',
      tokenWith({ alg: 'ES256', kid }, `${JSON.stringify(claims(target))}   `, () => '++//'.repeat(21)),
    ],
    ['another spelling of its signature', `${header}.${payload}.${respelled}`],
    ['a newline in it', `${header}.${payload}.\n${signature}`],
    ['a space before it', `${header}. ${payload}.${signature}`],
    [
      '10 000 characters',
      tokenWith({ alg: 'ES256', kid }, claims(target, { jti: 'j'.repeat(8_000) }), es256(privateKey)),
    ],
    ['bytes that are no text', `${header}.${Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString('base64url')}.${signature}`],
  ]
}
