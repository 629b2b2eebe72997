const millisecondsOf = {
  millisecond: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
} as const

type Unit = keyof typeof millisecondsOf

/** A length of time as people write it: `'1 hour'`, `'30 seconds'`. */
export type Duration = `${number} ${Unit | `${Unit}s`}`

/**
 * A duration in milliseconds.
 * @throws RangeError when the text is not `<positive whole number> <unit>`.
 */
export function milliseconds(duration: Duration): number {
  const match = /^(\d+) (millisecond|second|minute|hour|day)s?$/.exec(duration)
  const unit = Object.entries(millisecondsOf).find(([name]) => name === match?.[2])
  const amount = Number(match?.[1])
  if (!unit || !Number.isSafeInteger(amount) || amount <= 0) {
    throw new RangeError(`"${duration}" is not a duration: write a positive whole number and a unit, as in "5 minutes"`)
  }
  return amount * unit[1]
}

/** Whether something is a length of time as `milliseconds` gives it. */
export function isMilliseconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0
}
