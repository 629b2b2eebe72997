import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { keyPairJwt, publicKeyFingerprint } from '../src/snowflake-key.ts'

const { privateKey: privateKeyPem, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})
const nowMs = Date.parse('2026-01-01T00:00:00Z')

function claimsOf(token: string): unknown {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  return claims
}

describe('a key-pair token', () => {
  it('names account and user in upper case, and the fingerprint of the public key', () => {
    const fingerprint = publicKeyFingerprint(createPublicKey(publicKey))
    expect(fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}=$/)
    expect(claimsOf(keyPairJwt({ account: 'my-Account', user: 'loader', privateKeyPem }, nowMs))).toEqual({
      iss: `MY-ACCOUNT.LOADER.${fingerprint}`,
      sub: 'MY-ACCOUNT.LOADER',
      iat: nowMs / 1_000,
      exp: nowMs / 1_000 + 3_600,
    })
  })

  it('leaves the region of an account locator out', () => {
    const token = keyPairJwt({ account: 'xy12345.eu-west-1', user: 'loader', privateKeyPem }, nowMs)
    expect(claimsOf(token)).toMatchObject({ sub: 'XY12345.LOADER' })
  })

  it('is signed with RS256', () => {
    const [header = '', payload = '', signature = ''] = keyPairJwt(
      { account: 'a', user: 'u', privateKeyPem },
      nowMs,
    ).split('.')
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'RS256', typ: 'JWT' })
    const signed = Buffer.from(`${header}.${payload}`)
    expect(verify('RSA-SHA256', signed, publicKey, Buffer.from(signature, 'base64url'))).toBe(true)
  })

  it('cannot be made from what is no private key, and the message does not show it', () => {
    const make = () => keyPairJwt({ account: 'a', user: 'u', privateKeyPem: 'secret-text' }, nowMs)
    expect(make).toThrow(expect.objectContaining({ code: 'config.invalid' }))
    expect(make).not.toThrow(/secret-text/)
  })
})
