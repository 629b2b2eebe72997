/**
 * The issuer's public keys, from a file or a URL. Whoever sends tokens can make us look for keys, so looking is bounded: one look at a
 * time, at most one a cooldown, with a deadline and a size. While the issuer cannot be asked, the keys that are known stay good until
 * they are `ageMaxMs` old: longer than tokens live, so that an outage of the issuer is not ours, and not for ever, so that a revoked
 * key ends.
 */
import { readFile, stat } from 'node:fs/promises'
import * as z from 'zod'
import { type Algorithm, importPublicKey, type VerificationKey } from './public-key.ts'
import { problem, ProblemError } from './problem.ts'

/** A file or a URL: one of them, by the settings' rules. */
export type KeySource = { readonly jwksFile?: string | undefined; readonly jwksUrl?: string | undefined }

export type KeyTimes = {
  /** After which the keys are read again, beside the requests that use them. */
  readonly refreshMs: number
  /** Between two looks for a key that is not known. */
  readonly cooldownMs: number
  /** Beyond which keys that could not be read again are not used. */
  readonly ageMaxMs: number
  /** For one answer of the issuer. */
  readonly timeoutMs: number
}

export type Trouble = (what: string, error?: unknown) => void

export type Keys = {
  /**
   * The key for a token's header, looked for again at the source where it is not known.
   * @throws ProblemError 503 when the keys cannot be had
   */
  readonly find: (kid: string, algorithm: Algorithm) => Promise<VerificationKey | undefined>
  /** Whether a key is still one of the issuer's, by what is known now. */
  readonly has: (key: VerificationKey) => boolean
}

const hourMs = 3_600_000
/** A file costs nothing to look at; an issuer is somebody else's server. */
const fileTimes: KeyTimes = { refreshMs: 2_000, cooldownMs: 1_000, ageMaxMs: hourMs, timeoutMs: 3_000 }
const urlTimes: KeyTimes = { refreshMs: 300_000, cooldownMs: 10_000, ageMaxMs: hourMs, timeoutMs: 3_000 }
const keySetBytesMax = 262_144
const keysMax = 100

const keySetShape = z.object({ keys: z.array(z.unknown()).max(keysMax) })

type KeySet = {
  readonly text: string
  readonly byName: ReadonlyMap<string, VerificationKey>
  readonly keys: ReadonlySet<VerificationKey>
}

/** Opens the keys of an issuer; nothing is read before a key is asked for. */
export function openKeys(
  { jwksFile = '', jwksUrl }: KeySource,
  onTrouble: Trouble,
  times: Partial<KeyTimes> = {},
): Keys {
  const { refreshMs, cooldownMs, ageMaxMs, timeoutMs } = { ...(jwksUrl === undefined ? fileTimes : urlTimes), ...times }
  const read = () => (jwksUrl === undefined ? readFileText(jwksFile) : fetchText(jwksUrl, timeoutMs))
  let known: KeySet | undefined
  let failing = false
  let readAt = -Infinity
  let triedAt = -Infinity
  let lookedAt = -Infinity
  let reading: Promise<void> | undefined

  async function readOnce(): Promise<void> {
    triedAt = performance.now()
    try {
      const text = await read()
      known = known?.text === text ? known : parseKeySet(text, known, onTrouble)
      readAt = performance.now()
      failing = false
    } catch (error) {
      if (!failing) onTrouble("the issuer's keys cannot be read at the moment: those that are known stay in use", error)
      failing = true
    } finally {
      reading = undefined
    }
  }

  function refresh(): Promise<void> | undefined {
    if (!reading && performance.now() - triedAt > cooldownMs) reading = readOnce()
    return reading
  }

  /** What is known, if it may still be used; read again beside the request when it is not new. */
  function current(): KeySet | undefined {
    const ageMs = performance.now() - readAt
    if (ageMs > refreshMs) void refresh()
    return ageMs > ageMaxMs ? undefined : known
  }

  /** Has a cooldown of its own: a key may have been published just after the keys were read for their age. */
  async function lookAgain(): Promise<void> {
    await reading
    if (performance.now() - lookedAt < cooldownMs) return reading
    lookedAt = performance.now()
    await (reading ??= readOnce())
  }

  return {
    has: (key) => current()?.keys.has(key) ?? false,
    find: async (kid, algorithm) => {
      if (!current()) await refresh()
      const name = nameOf(kid, algorithm)
      const keys = current()
      if (!keys)
        throw new ProblemError(problem(503, 'tokens cannot be checked now: the keys of their issuer are out of reach'))
      if (keys.byName.has(name)) return keys.byName.get(name)
      await lookAgain()
      return current()?.byName.get(name)
    },
  }
}

/** No algorithm has a space in its name, so that no kid can be taken for another with its algorithm. */
function nameOf(kid: string, algorithm: Algorithm): string {
  return `${algorithm} ${kid}`
}

function parseKeySet(text: string, previous: KeySet | undefined, onTrouble: Trouble): KeySet {
  const { keys: jwks } = keySetShape.parse(JSON.parse(text))
  const byName = new Map<string, VerificationKey>()
  for (const jwk of jwks) {
    const key = importPublicKey(jwk)
    if ('refused' in key) onTrouble(`a key of the issuer is not used: ${key.refused}`)
    else addKey(byName, key, previous)
  }
  return { text, byName, keys: new Set(byName.values()) }
}

/** A key that was there before stays the same object: what was verified with it stays verified. */
function addKey(byName: Map<string, VerificationKey>, key: VerificationKey, previous: KeySet | undefined): void {
  for (const algorithm of key.algorithms) {
    const name = nameOf(key.kid, algorithm)
    const before = previous?.byName.get(name)
    if (!byName.has(name)) byName.set(name, before?.key.equals(key.key) ? before : key)
  }
}

async function readFileText(path: string): Promise<string> {
  const { size } = await stat(path)
  if (size > keySetBytesMax) throw tooLarge()
  return readFile(path, 'utf8')
}

async function fetchText(url: string, timeoutMs: number): Promise<string> {
  // A redirect would let whoever answers choose where the keys come from.
  const signal = AbortSignal.timeout(timeoutMs)
  const answer = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } })
  if (answer.status !== 200 || !answer.body) {
    await answer.body?.cancel()
    throw new Error(`${url} answers ${answer.status}`)
  }
  const chunks: Uint8Array[] = []
  let length = 0
  const body: AsyncIterable<Uint8Array> = answer.body
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.length
    if (length > keySetBytesMax) throw tooLarge() // which cancels the rest
  }
  return Buffer.concat(chunks).toString('utf8')
}

function tooLarge(): RangeError {
  return new RangeError(`a key set may have ${keySetBytesMax} bytes`)
}
