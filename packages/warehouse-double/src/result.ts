import {
  type DuckDBResultReader,
  DuckDBDateValue,
  DuckDBDecimalType,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { ColumnType } from './column-type.ts'
import { notUnderstood } from './statement-error.ts'

export type ResultColumn = { readonly name: string; readonly type: ColumnType; readonly nullable: boolean }
export type ResultRow = readonly (string | null)[]

/** A result as Snowflake's clients read it: every value as text, in the encoding of its type. */
export type Result = { readonly columns: readonly ResultColumn[]; readonly rows: readonly ResultRow[] }

/** A result whose columns are all text, as SHOW and DESC give. */
export function textResult(names: readonly string[], rows: readonly ResultRow[]): Result {
  return { columns: names.map((name) => ({ name, type: { kind: 'text', length: 16_777_216 }, nullable: true })), rows }
}

/** What a statement answers that was run for its effect. */
export function statusResult(message: string): Result {
  return textResult(['status'], [[message]])
}

export function resultOf(reader: DuckDBResultReader): Result {
  const names = reader.columnNames()
  return {
    columns: reader.columnTypes().map((type, index) => ({
      name: columnName(names[index] ?? ''),
      type: snowflakeType(type),
      nullable: true,
    })),
    rows: reader.getRows().map((row) => row.map(textOf)),
  }
}

/** An expression without a name is called by its text, in upper case. DuckDB writes that text in its own way: name what you compute. */
function columnName(name: string): string {
  if (name === 'count_star()') return 'COUNT(*)'
  return name.includes('(') ? name.replaceAll('"', '').toUpperCase() : name
}

/** DuckDB does not tell TIMESTAMP_LTZ from TIMESTAMP_TZ: both are instants and answered as TIMESTAMP_TZ in UTC. */
function snowflakeType(type: DuckDBType): ColumnType {
  if (type instanceof DuckDBDecimalType) return { kind: 'fixed', precision: type.width, scale: type.scale }
  if (type.alias === 'JSON') return { kind: 'variant' }
  switch (type.typeId) {
    case DuckDBTypeId.VARCHAR:
    case DuckDBTypeId.SQLNULL:
      return { kind: 'text', length: 16_777_216 }
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.HUGEINT:
      return { kind: 'fixed', precision: 38, scale: 0 }
    case DuckDBTypeId.DOUBLE:
      return { kind: 'real' }
    case DuckDBTypeId.BOOLEAN:
      return { kind: 'boolean' }
    case DuckDBTypeId.DATE:
      return { kind: 'date' }
    case DuckDBTypeId.TIMESTAMP:
      return { kind: 'timestamp_ntz', scale: 9 }
    case DuckDBTypeId.TIMESTAMP_TZ:
      return { kind: 'timestamp_tz', scale: 9 }
    default:
      throw notUnderstood(`a result of DuckDB's type ${type.toString()}`)
  }
}

/** @see https://docs.snowflake.com/en/developer-guide/sql-api/handling-responses#getting-the-data-from-the-results */
function textOf(value: DuckDBValue): string | null {
  if (value === null) return null
  if (typeof value === 'number') return realText(value)
  if (value instanceof DuckDBDecimalValue) return value.toString()
  if (value instanceof DuckDBDateValue) return String(value.days)
  if (value instanceof DuckDBTimestampTZValue) return `${secondsText(value.micros)} ${utcOffset}`
  if (value instanceof DuckDBTimestampValue) return secondsText(value.micros)
  return String(value)
}

/** Minutes east of UTC, plus 1440. */
const utcOffset = 1_440

function realText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  return String(value)
}

function secondsText(micros: bigint): string {
  const magnitude = micros < 0n ? -micros : micros
  const fraction = (magnitude % 1_000_000n).toString().padStart(6, '0')
  return `${micros < 0n ? '-' : ''}${magnitude / 1_000_000n}.${fraction}000`
}
