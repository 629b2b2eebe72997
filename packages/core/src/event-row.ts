import { timeOf } from './cloud-event.ts'
import type { Field, Fields } from './field.ts'
import { isJsonObject } from './json.ts'

/** A field's value as a pipeline holds it: integers have 64 bits, a time is in milliseconds since 1970. */
export type RowValue = string | number | bigint | boolean | null

/** The fields of an event by name; those that it has not are null. */
export type EventRow = ReadonlyMap<string, RowValue>

/** The name under which a row has the field of a joined table, which no field of the event has. */
export function tableField(name: string, table: number): string {
  return `\0${table} ${name}`
}

/**
 * The value of a record as a row, or `undefined` for whatever is not such an object, from invalid UTF-8 to a value of another type: by the rules
 * of `DecodeJson.java`, but for bounds of its parser that no event reaches (1 000 levels, 1 000 digits).
 */
export function readRow(value: Uint8Array | null, fields: Fields): EventRow | undefined {
  const event = value === null ? undefined : parsed(value)
  if (!isJsonObject(event) || event instanceof NumberText) return undefined
  const row = new Map<string, RowValue>()
  for (const [name, field] of Object.entries(fields)) {
    const found = valueOf(Object.hasOwn(event, name) ? event[name] : null, field)
    if (found === undefined || (found === null && !field.nullable)) return undefined
    row.set(name, found)
  }
  return row
}

/** A number as it is written: as a double it would lose digits. */
class NumberText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parsed(value: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(value), (_name, part: unknown, { source }: { source?: string } = {}) =>
      typeof part === 'number' ? new NumberText(source ?? String(part)) : part,
    )
  } catch {
    return undefined
  }
}

/** @returns `undefined` for a value of another type */
function valueOf(value: unknown, { type }: Field): RowValue | undefined {
  if (value === null) return null
  switch (type) {
    case 'string':
      // A lone surrogate, which JSON can escape, has no UTF-8.
      return typeof value === 'string' && value.isWellFormed() ? value : undefined
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'timestamp':
      return typeof value === 'string' ? timeOf(value) : undefined
    case 'number':
      return value instanceof NumberText ? finite(Number(value.text)) : undefined
    case 'integer':
      return value instanceof NumberText ? whole(value.text) : undefined
  }
}

function finite(number: number): number | undefined {
  return Number.isFinite(number) ? number : undefined
}

/** JSON Schema's integers, 1.0 and 1e3 among them, as far as 64 bits go. */
function whole(text: string): bigint | undefined {
  const number = Number(text)
  const integer = /^-?\d+$/.test(text) ? BigInt(text) : Number.isInteger(number) ? BigInt(number) : undefined
  return integer === undefined || BigInt.asIntN(64, integer) !== integer ? undefined : integer
}
