/** The only place where text becomes SQL: whatever a name or value holds, it stays one token. */

const identifierLengthMax = 256

/**
 * A delimited identifier.
 * @throws RangeError for a name that Flink's parser takes in no spelling: empty, too long or of several lines.
 */
export function identifier(name: string): string {
  if (name === '' || name.length > identifierLengthMax || /[\n\r]/.test(name)) {
    throw new RangeError(
      `${JSON.stringify(name)} cannot be a name in Flink SQL: use one line of 1 to ${identifierLengthMax} characters`,
    )
  }
  return `\`${requireWhole(name).replaceAll('`', '``')}\``
}

/** A character string literal. */
export function text(value: string): string {
  return `'${requireWhole(value).replaceAll("'", "''")}'`
}

/** A numeric literal: exact where JavaScript holds a whole number exactly, else a DOUBLE. */
export function number(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} cannot be written in SQL`)
  return Number.isSafeInteger(value) ? String(value) : value.toExponential()
}

const intervalDaysMax = 99

/**
 * An interval of milliseconds.
 * @throws RangeError above 99 days: Flink's planner knows no other precision of the leading field than two digits.
 */
export function interval(milliseconds: number): string {
  const whole = (unitMs: number, of: number) => Math.trunc((milliseconds % of) / unitMs)
  const digits = (value: number, width: number) => String(value).padStart(width, '0')
  const [hours, minutes, seconds] = [whole(3_600_000, 86_400_000), whole(60_000, 3_600_000), whole(1_000, 60_000)]
  const time = [hours, minutes, seconds].map((value) => digits(value, 2)).join(':')
  const days = Math.trunc(milliseconds / 86_400_000)
  if (days > intervalDaysMax)
    throw new RangeError(`${milliseconds} ms is longer than the ${intervalDaysMax} days that Flink SQL can write`)
  return `INTERVAL '${days} ${time}.${digits(milliseconds % 1_000, 3)}' DAY TO SECOND(3)`
}

/** A point in time, from milliseconds since the epoch. */
export function instant(epochMs: number): string {
  return `TO_TIMESTAMP_LTZ(${number(epochMs)}, 3)`
}

export function set(option: string, value: string | number | boolean): string {
  return `SET ${text(option)} = ${text(String(value))}`
}

/** The `WITH (…)` of a table. */
export function options(entries: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(entries)
    .map(([option, value]) => `  ${text(option)} = ${text(String(value))}`)
    .join(',\n')
}

/** A lone surrogate or a NUL would reach Flink as another character than the one that was meant. */
function requireWhole(value: string): string {
  if (!value.isWellFormed() || value.includes('\0')) {
    throw new RangeError(`${JSON.stringify(value)} cannot be written in SQL`)
  }
  return value
}
