import type { ResultColumn, ResultRow } from './snowflake-result.ts'

export type WarehouseRow = Readonly<Record<string, string | null>>

const dayMs = 86_400_000

/** Rows by column name, with the SQL API's encodings of dates and timestamps turned into ISO 8601. */
export function rowsOf(columns: readonly ResultColumn[], data: readonly ResultRow[]): WarehouseRow[] {
  const readers = columns.map(({ name, type }) => ({ name, read: readerOf(type) }))
  return data.map((row) =>
    Object.fromEntries(
      readers.map(({ name, read }, index) => {
        const value = row[index] ?? null
        return [name, value === null ? null : read(value)]
      }),
    ),
  )
}

function readerOf(type: string): (value: string) => string {
  switch (type) {
    case 'timestamp_ntz':
      return (value) => instantOf(value).slice(0, -1)
    case 'timestamp_ltz':
    case 'timestamp_tz':
      return instantOf
    case 'date':
      return (value) => new Date(Number(value) * dayMs).toISOString().slice(0, 10)
    default:
      return (value) => value
  }
}

/**
 * `1616173619.123000000 1500` → `2021-03-19T17:13:39.123Z`: seconds since the epoch, then (TIMESTAMP_TZ alone) the offset in minutes
 * plus 1440, which does not change the instant.
 */
function instantOf(value: string): string {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?(?: \d+)?$/.exec(value)
  if (!match) return value
  const [, sign, seconds, fraction = ''] = match
  const magnitude = BigInt(seconds ?? '0') * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
  const nanoseconds = sign === '-' ? -magnitude : magnitude
  const remainder = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const whole = Number((nanoseconds - remainder) / 1_000_000n)
  const digits = remainder
    .toString()
    .padStart(9, '0')
    .replace(/(000){1,2}$/, '')
  return new Date(whole).toISOString().replace('.000Z', `.${digits}Z`)
}
