import { parseScope, patternCovers, type Permission } from '@millrace/core/scope'
import { compactVerify } from 'jose'
import { type KeySource, type KeyTimes, openKeys, type Trouble } from './jwks.ts'
import { createLru } from './lru.ts'
import { problem, ProblemError } from './problem.ts'
import type { Algorithm, VerificationKey } from './public-key.ts'
import { type Claims, claimsOf, headerOf } from './token-check.ts'

/** Whom a token names and what it allows. */
export type Identity = {
  readonly subject: string
  readonly permissions: readonly Permission[]
  /** When the token ends, in milliseconds since the epoch. */
  readonly expiresAtMs: number
}

export type TokenOptions = { readonly issuer: string; readonly audience: string } & KeySource
/** A token that was verified and is still good is answered at once; anything else takes a promise, which may be rejected. */
export type Authenticate = (token: string | undefined) => Identity | Promise<Identity>

/** What was verified belongs to the key that it was verified with, and ends with it. */
type Verified = { readonly identity: Identity; readonly key: VerificationKey }

/** Verifying a signature costs more than the rest of a request, so a token is verified once while it and its key are good. */
const verifiedMax = { entriesMax: 10_000, keysLengthMax: 16_777_216 }

/**
 * Checks tokens as RFC 8725 asks: signature by a key of the issuer, asymmetric algorithms alone, issuer, audience, times.
 * What is not good is rejected with ProblemError 401, and 503 when the issuer's keys cannot be had.
 */
export function createAuthentication(
  { issuer, audience, ...source }: TokenOptions,
  onTrouble: Trouble = () => undefined,
  times?: Partial<KeyTimes>,
): Authenticate {
  const keys = openKeys(source, onTrouble, times)
  const verified = createLru<Verified>(verifiedMax)

  async function verify(token: string): Promise<Verified | undefined> {
    const header = headerOf(token)
    const key = header && (await keys.find(header.kid, header.alg))
    if (!key || !(await isSignedBy(token, key, header.alg))) return undefined
    const claims = claimsOf(token, issuer, audience)
    return claims && { identity: identityOf(claims), key }
  }

  async function identify(token: string | undefined): Promise<Identity> {
    if (token === undefined) throw unauthorized('a bearer token is needed')
    verified.delete(token)
    const found = await verify(token)
    // Which check failed would only help whoever tries to get past it.
    if (!found) throw unauthorized('the token is not valid: wrong key, issuer or audience, or it has expired')
    verified.set(token, found)
    return found.identity
  }

  return (token) => {
    const known = token === undefined ? undefined : verified.get(token)
    const isGood = known && known.identity.expiresAtMs > Date.now() && keys.has(known.key)
    return isGood ? known.identity : identify(token)
  }
}

function isSignedBy(token: string, { key }: VerificationKey, algorithm: Algorithm): Promise<boolean> {
  return compactVerify(token, key, { algorithms: [algorithm] }).then(
    () => true,
    () => false,
  )
}

/** Whether an identity may do something, for an event type where the action asks for one. Denied unless a scope says so. */
export function allows({ permissions }: Identity, action: Permission['action'], type?: string): boolean {
  return permissions.some(
    (permission) =>
      permission.action === action &&
      (!('pattern' in permission) || (type !== undefined && patternCovers(permission.pattern, type))),
  )
}

/** @throws ProblemError 403 */
export function require(identity: Identity, action: Permission['action'], type?: string): void {
  if (!allows(identity, action, type)) throw forbidden(action, type)
}

/**
 * Whether a token allows one of some actions for any event type at all: what can be told before the type is known.
 * @throws ProblemError 403
 */
export function requireSome({ permissions }: Identity, ...actions: Permission['action'][]): void {
  if (!permissions.some(({ action }) => actions.includes(action))) throw forbidden(actions.join(' or '), undefined)
}

function forbidden(action: string, type: string | undefined): ProblemError {
  return new ProblemError(problem(403, `the token lacks the scope ${action}${type === undefined ? '' : `:${type}`}`))
}

function unauthorized(detail: string): ProblemError {
  return new ProblemError(problem(401, detail))
}

function identityOf({ sub, exp, scope = '' }: Claims): Identity {
  const permissions = scope.split(' ').map(parseScope)
  return {
    subject: sub,
    permissions: permissions.filter((permission) => permission !== undefined),
    expiresAtMs: exp * 1_000,
  }
}
