/** What a token must be beside well signed (RFC 7519, RFC 8725 §3, RFC 9068 §4): its form, its header and its claims. */
import * as z from 'zod'
import { algorithms } from './public-key.ts'

const lengthMax = 8_192
const kidLengthMax = 256
const subjectLengthMax = 256
/** By as much as clocks of well-kept machines may differ. */
const clockToleranceSeconds = 5

const headerShape = z.object({
  alg: z.enum(algorithms),
  kid: z.string().min(1).max(kidLengthMax),
  // Some issuers say nothing (Amazon Cognito); a token that says it is made for something else is not for us.
  typ: z
    .string()
    .refine((typ) => ['jwt', 'at+jwt', 'application/at+jwt'].includes(typ.toLowerCase()))
    .optional(),
  // What changes how a token is read, or where its key comes from, is refused rather than passed over.
  ...Object.fromEntries(
    ['crit', 'b64', 'enc', 'zip', 'cty', 'jwk', 'jku', 'x5u', 'x5c'].map((name) => [name, z.undefined().optional()]),
  ),
})

const second = z.number().min(0).max(Number.MAX_SAFE_INTEGER)

export type Claims = z.output<ReturnType<typeof claimsShape>>

function claimsShape(issuer: string, audience: string, nowSeconds: number) {
  const begun = second.max(nowSeconds + clockToleranceSeconds).optional()
  return z.object({
    iss: z.literal(issuer),
    aud: z.union([z.literal(audience), z.array(z.string()).refine((audiences) => audiences.includes(audience))]),
    sub: z.string().min(1).max(subjectLengthMax),
    exp: second.gt(nowSeconds),
    nbf: begun,
    iat: begun,
    scope: z.string().optional(),
  })
}

/** The header of a token that may be verified, or `undefined`. */
export function headerOf(token: string): z.output<typeof headerShape> | undefined {
  if (token.length > lengthMax) return undefined
  const parts = token.split('.')
  if (parts.length !== 3 || !parts.every(isCanonical)) return undefined
  return headerShape.safeParse(jsonOf(parts[0])).data
}

/** The claims of a verified token, if it is one for us and good now. */
export function claimsOf(token: string, issuer: string, audience: string): Claims | undefined {
  return claimsShape(issuer, audience, Date.now() / 1_000).safeParse(jsonOf(token.split('.')[1])).data
}

/** base64url as it is written when no bit is left over, so that a token has one spelling. */
function isCanonical(part: string): boolean {
  return part.length > 0 && Buffer.from(part, 'base64url').toString('base64url') === part
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function jsonOf(part = ''): unknown {
  try {
    const text = utf8.decode(Buffer.from(part, 'base64url'))
    const value: unknown = JSON.parse(text)
    return hasDuplicateNames(text) ? undefined : value
  } catch {
    return undefined
  }
}

/** Whether an object in a JSON text has a name twice: what reads the first and what reads the last would see two tokens. */
function hasDuplicateNames(json: string): boolean {
  const open: Set<string>[] = []
  for (const [word, colon] of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g)) {
    if (word === '{') open.push(new Set())
    else if (word === '}') open.pop()
    else if (colon !== undefined) {
      const name = String(JSON.parse(word.slice(0, -colon.length)))
      if (open.at(-1)?.has(name)) return true
      open.at(-1)?.add(name)
    }
  }
  return false
}
