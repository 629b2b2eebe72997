import { StatementError } from './statement-error.ts'

/** A column type that the double knows, with Snowflake's defaults filled in. */
export type ColumnType =
  | { readonly kind: 'text'; readonly length: number }
  | { readonly kind: 'fixed'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'real' | 'boolean' | 'variant' | 'date' }
  | { readonly kind: 'timestamp_ntz' | 'timestamp_ltz' | 'timestamp_tz'; readonly scale: number }

const textLengthMax = 16_777_216
const precisionMax = 38
const timestampScaleMax = 9

const kinds: Readonly<Record<string, ColumnType['kind']>> = {
  VARCHAR: 'text',
  STRING: 'text',
  TEXT: 'text',
  NUMBER: 'fixed',
  DECIMAL: 'fixed',
  NUMERIC: 'fixed',
  INT: 'fixed',
  INTEGER: 'fixed',
  BIGINT: 'fixed',
  FLOAT: 'real',
  DOUBLE: 'real',
  REAL: 'real',
  BOOLEAN: 'boolean',
  VARIANT: 'variant',
  DATE: 'date',
  TIMESTAMP_NTZ: 'timestamp_ntz',
  DATETIME: 'timestamp_ntz',
  TIMESTAMP_LTZ: 'timestamp_ltz',
  TIMESTAMP_TZ: 'timestamp_tz',
}

/** The type that a name and its numbers in parentheses mean, as in `NUMBER(38, 0)`. */
export function columnType(name: string, numbers: readonly number[]): ColumnType {
  const kind = kinds[name]
  const [first, second] = numbers
  switch (kind) {
    case undefined:
      throw new StatementError(`Unsupported data type '${name}'.`)
    case 'text':
      return { kind, length: within(name, first ?? textLengthMax, 1, textLengthMax) }
    case 'fixed': {
      const precision = within(name, first ?? precisionMax, 1, precisionMax)
      return { kind, precision, scale: within(name, second ?? 0, 0, precision) }
    }
    case 'timestamp_ntz':
    case 'timestamp_ltz':
    case 'timestamp_tz':
      return { kind, scale: within(name, first ?? timestampScaleMax, 0, timestampScaleMax) }
    default:
      return { kind }
  }
}

function within(name: string, value: number, min: number, max: number): number {
  if (value < min || value > max) throw new StatementError(`${name}: ${value} is not between ${min} and ${max}.`)
  return value
}

/** The type as `DESC TABLE` shows it. */
export function typeName(type: ColumnType): string {
  switch (type.kind) {
    case 'text':
      return `VARCHAR(${type.length})`
    case 'fixed':
      return `NUMBER(${type.precision},${type.scale})`
    case 'real':
      return 'FLOAT'
    case 'timestamp_ntz':
    case 'timestamp_ltz':
    case 'timestamp_tz':
      return `${type.kind.toUpperCase()}(${type.scale})`
    default:
      return type.kind.toUpperCase()
  }
}

/** Reads what `typeName` wrote. */
export function parseTypeName(text: string): ColumnType {
  const match = /^(\w+)(?:\((\d+)(?:,(\d+))?\))?$/.exec(text)
  const numbers = [match?.[2], match?.[3]].flatMap((number) => (number === undefined ? [] : [Number(number)]))
  return columnType(match?.[1] ?? text, numbers)
}

/** How DuckDB keeps the type. Time zones are kept as instants, to the microsecond. */
export function duckdbType(type: ColumnType): string {
  switch (type.kind) {
    case 'text':
      return 'VARCHAR'
    case 'fixed':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'real':
      return 'DOUBLE'
    case 'variant':
      return 'JSON'
    case 'timestamp_ntz':
      return 'TIMESTAMP'
    case 'timestamp_ltz':
    case 'timestamp_tz':
      return 'TIMESTAMPTZ'
    default:
      return type.kind.toUpperCase()
  }
}
