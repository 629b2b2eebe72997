/** Protobuf's Timestamp and Duration: seconds and nanoseconds, in JSON an RFC 3339 time and as in "1.5s". */
import type { JsonObject, JsonValue } from '@millrace/core/json'
import { Refusal, type WellKnown } from './protobuf-descriptor.ts'

const rfc3339 = /^(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/
const durationText = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/
const secondsMin = Date.parse('0001-01-01T00:00:00Z') / 1_000
const secondsMax = Date.parse('9999-12-31T23:59:59Z') / 1_000
const durationSecondsMax = 315_576_000_000
const nanosMax = 999_999_999

/** A date is made and written. */
const unitsPerTime = 40

export const timestamp: WellKnown = {
  shape: { type: 'string', format: 'date-time' },
  units: () => unitsPerTime,
  toJson: (fields) => {
    const { seconds, nanos } = partsOf(fields)
    if (seconds < secondsMin || seconds > secondsMax) return new Refusal('must be within the years 1 and 9999')
    if (nanos < 0 || nanos > nanosMax) return new Refusal(`must have nanoseconds within 0 and ${nanosMax}`)
    return `${new Date(seconds * 1_000).toISOString().slice(0, 19)}${fraction(nanos)}Z`
  },
  fromJson: (value) => {
    const [, local, digits, offset] = (typeof value === 'string' ? rfc3339.exec(value) : null) ?? []
    const seconds =
      local === undefined || offset === undefined ? NaN : secondsOf(local.toUpperCase(), offset.toUpperCase())
    if (Number.isNaN(seconds)) return new Refusal('must be an RFC 3339 time, as in "2001-01-31T23:59:00Z"')
    if (seconds < secondsMin || seconds > secondsMax) return new Refusal('must be within the years 1 and 9999')
    return { seconds, nanos: nanosOf(digits) }
  },
}

export const duration: WellKnown = {
  shape: { type: 'string', pattern: durationText.source, examples: ['1.5s'] },
  units: () => unitsPerTime,
  toJson: (fields) => {
    const { seconds, nanos } = partsOf(fields)
    if (Math.abs(seconds) > durationSecondsMax || Math.abs(nanos) > nanosMax) {
      return new Refusal(`must be within ${durationSecondsMax} seconds`)
    }
    if (seconds * nanos < 0) return new Refusal('must have seconds and nanoseconds of the same sign')
    const sign = seconds < 0 || nanos < 0 ? '-' : ''
    return `${sign}${Math.abs(seconds)}${fraction(Math.abs(nanos))}s`
  },
  fromJson: (value) => {
    const [match, sign, whole, digits] = (typeof value === 'string' ? durationText.exec(value) : null) ?? []
    if (match === undefined) return new Refusal('must be a duration in seconds, as in "1.5s"')
    const direction = sign === '-' ? -1 : 1
    const seconds = direction * Number(whole)
    const nanos = direction * nanosOf(digits)
    const beyond = Math.abs(seconds) > durationSecondsMax
    return beyond ? new Refusal(`must be within ${durationSecondsMax} seconds`) : { seconds, nanos }
  },
}

function partsOf(fields: JsonObject): { seconds: number; nanos: number } {
  return { seconds: numberOf(fields['seconds']), nanos: numberOf(fields['nanos']) }
}

function numberOf(value: JsonValue | undefined): number {
  return Number(value ?? 0)
}

/** The moment, unless that day, hour, minute or second does not exist: Date.parse takes February 30th for March 2nd. */
function secondsOf(local: string, offset: string): number {
  const asUtc = Date.parse(`${local}Z`)
  if (Number.isNaN(asUtc) || new Date(asUtc).toISOString().slice(0, 19) !== local) return NaN
  return Date.parse(`${local}${offset}`) / 1_000
}

/** Nothing, or three, six or nine digits. */
function fraction(nanos: number): string {
  if (nanos === 0) return ''
  const digits = String(nanos).padStart(9, '0')
  return `.${digits.replace(/0{6}$|0{3}$/, '')}`
}

function nanosOf(digits: string | undefined): number {
  return digits === undefined ? 0 : Number(digits.padEnd(9, '0'))
}
