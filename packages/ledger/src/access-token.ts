import { isJsonObject } from '@millrace/core/json'

/** Asks the platform's issuer for a token with these scopes. */
export type IssueToken = (scopes: readonly string[]) => Promise<string>

/** A token that is renewed before it expires. `renew` asks for a new one at once: the gateway refused the last. */
export type AccessToken = { current(): Promise<string>; renew(): void }

const renewBeforeMs = 60_000

export function accessToken(issue: IssueToken, scopes: readonly string[], now: () => number = Date.now): AccessToken {
  let token: Promise<string> | undefined
  let expiresMs = 0
  const request = async (): Promise<string> => {
    const issued = await issue(scopes)
    expiresMs = expiryMs(issued) ?? now() + 2 * renewBeforeMs
    return issued
  }
  return {
    current: () => {
      if (!token || now() > expiresMs - renewBeforeMs) {
        expiresMs = Number.POSITIVE_INFINITY
        token = request().catch((error: unknown) => {
          token = undefined
          throw error
        })
      }
      return token
    },
    renew: () => {
      token = undefined
    },
  }
}

/** `exp` of a JWT, in milliseconds. Nothing is verified: the gateway does that. */
function expiryMs(token: string): number | undefined {
  const payload = token.split('.')[1]
  if (!payload) return undefined
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
  return isJsonObject(claims) && typeof claims['exp'] === 'number' ? claims['exp'] * 1_000 : undefined
}
