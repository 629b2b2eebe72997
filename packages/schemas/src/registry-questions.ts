/**
 * Asks the registry as little as possible: everybody who needs the same answer shares one question, "there is none" holds for a while,
 * and so does an outage, for all questions, so that a registry that is down or comes up meets one question a while and no herd.
 */
import { MillraceError } from '@millrace/core/errors'

export type QuestionOptions = {
  /** How long "there is none" holds. */
  readonly absentMs: number
  /** How long a failure holds. */
  readonly retryMs: number
  /** A clock that never goes back. */
  readonly now: () => number
}

/** Asks by a key; `undefined` where there is nothing under it. Throws what the asking throws. */
export type Questions<V> = (key: string) => Promise<V | undefined>

const inFlightMax = 64
/** Whoever makes up ids fills this; the oldest go first. */
const rememberedMax = 10_000

type Remembered = { readonly until: number; readonly error: unknown }

/** An outage is one for all kinds of questions to the same registry. */
export type Outage = { current: Remembered | undefined }

export function createQuestions<V>(
  ask: (key: string) => Promise<V | undefined>,
  { absentMs, retryMs, now }: QuestionOptions,
  outage: Outage,
): Questions<V> {
  const inFlight = new Map<string, Promise<V | undefined>>()
  const remembered = new Map<string, Remembered>()
  const remember = (key: string, until: number, error?: unknown) => {
    remembered.delete(key)
    remembered.set(key, { until, error })
    const [oldest] = remembered.keys()
    if (remembered.size > rememberedMax && oldest !== undefined) remembered.delete(oldest)
  }
  const answer = async (key: string): Promise<V | undefined> => {
    try {
      const value = await ask(key)
      outage.current = undefined
      if (value === undefined) remember(key, now() + absentMs)
      return value
    } catch (error) {
      if (isOutage(error)) outage.current = { until: now() + retryMs, error }
      else remember(key, now() + absentMs, error)
      throw error
    } finally {
      inFlight.delete(key)
    }
  }
  return async (key) => {
    const shared = inFlight.get(key)
    if (shared) return shared
    const known = remembered.get(key)
    if (known && known.until > now()) return known.error === undefined ? undefined : raise(known.error)
    if (outage.current && outage.current.until > now()) return raise(outage.current.error)
    if (inFlight.size >= inFlightMax) throw tooMany()
    // While an outage lasts, this question alone finds out whether it is over.
    if (outage.current) outage.current = { ...outage.current, until: now() + retryMs }
    const question = answer(key)
    inFlight.set(key, question)
    return question
  }
}

function isOutage(error: unknown): boolean {
  return error instanceof MillraceError && error.retryable
}

function raise(error: unknown): never {
  throw error
}

function tooMany(): MillraceError {
  return new MillraceError('registry.unavailable', `${inFlightMax} schemas are being asked for, so another has to wait`)
}
