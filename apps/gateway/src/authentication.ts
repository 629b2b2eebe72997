import { readFile, stat } from 'node:fs/promises'
import { parseScope, patternCovers, type Permission } from '@millrace/core/scope'
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import { problem, ProblemError } from './problem.ts'

/** Whom a token names and what it allows. */
export type Identity = {
  readonly subject: string
  readonly permissions: readonly Permission[]
  /** When the token ends, in milliseconds since the epoch. */
  readonly expiresAtMs: number
}

export type TokenOptions = { readonly issuer: string; readonly audience: string; readonly jwksFile: string }
export type Authenticate = (token: string | undefined) => Promise<Identity>

/** What was verified belongs to the keys that it was verified with, so that it ends with them. */
type KeyState = {
  readonly mtimeMs: number
  readonly keys: ReturnType<typeof createLocalJWKSet>
  readonly verified: Map<string, Identity>
}

const algorithms = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256']
/** Verifying a signature costs more than the rest of a request, so a token is verified once while it and the keys are good. */
const verifiedMax = 10_000
const keysCheckMs = 2_000
const tokenLengthMax = 8_192

/**
 * Checks tokens as RFC 8725 asks: signature by a configured key, asymmetric algorithms alone, issuer, audience, expiry.
 * The returned function throws ProblemError 401.
 */
export function createAuthentication({ issuer, audience, jwksFile }: TokenOptions): Authenticate {
  let state: KeyState | undefined
  let checkedAt = -Infinity

  async function currentState(): Promise<KeyState> {
    const now = performance.now()
    if (state && now - checkedAt < keysCheckMs) return state
    checkedAt = now
    try {
      const { mtimeMs } = await stat(jwksFile)
      if (state?.mtimeMs === mtimeMs) return state
      return (state = { mtimeMs, keys: createLocalJWKSet(await readKeys(jwksFile)), verified: new Map() })
    } catch (error) {
      // Somebody may be writing the file just now: the keys that are known stay good until it can be read again.
      if (state) return state
      throw error
    }
  }

  return async (token) => {
    if (token === undefined || token.length > tokenLengthMax) throw unauthorized('a bearer token is needed')
    const { keys, verified } = await currentState()
    const known = verified.get(token)
    if (known && known.expiresAtMs > Date.now()) return known
    verified.delete(token)
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms,
      requiredClaims: ['exp', 'sub'],
    }).catch(() => {
      // Which check failed would only help whoever tries to get past it.
      throw unauthorized('the token is not valid: wrong key, issuer or audience, or it has expired')
    })
    const identity = identityOf(payload)
    if (verified.size >= verifiedMax) verified.clear()
    verified.set(token, identity)
    return identity
  }
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

function identityOf({ sub, exp, scope }: JWTPayload): Identity {
  const scopes = typeof scope === 'string' ? scope.split(' ') : []
  return {
    subject: sub ?? '',
    permissions: scopes.map(parseScope).filter((permission) => permission !== undefined),
    expiresAtMs: (exp ?? 0) * 1_000,
  }
}

async function readKeys(file: string): Promise<JSONWebKeySet> {
  const parsed: unknown = JSON.parse(await readFile(file, 'utf8'))
  if (isKeySet(parsed)) return parsed
  throw new TypeError(`${file} is not a JSON Web Key Set`)
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  return typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys)
}
