import type { Column } from './catalog.ts'
import { type ColumnType, typeName } from './column-type.ts'

/** A column as the streaming SDK must know it to write its Parquet. */
export function streamingColumn({ name, type, nullable }: Column, index: number) {
  return {
    name: `"${name}"`,
    type: typeName(type),
    nullable,
    collation: null,
    ordinal: index + 1,
    precision: type.kind === 'fixed' ? type.precision : null,
    scale: 'scale' in type ? type.scale : null,
    length: type.kind === 'text' ? type.length : null,
    byte_length: type.kind === 'text' ? type.length : null,
    ...physical(type),
  }
}

function physical(type: ColumnType): { logical_type: string; physical_type: string } {
  const logical = { logical_type: type.kind.toUpperCase() }
  switch (type.kind) {
    case 'text':
    case 'variant':
      return { ...logical, physical_type: 'LOB' }
    case 'real':
      return { ...logical, physical_type: 'DOUBLE' }
    case 'boolean':
      return { ...logical, physical_type: 'SB1' }
    case 'date':
      return { ...logical, physical_type: 'SB4' }
    case 'fixed':
    case 'timestamp_ntz':
    case 'timestamp_ltz':
    case 'timestamp_tz':
      return { ...logical, physical_type: 'SB16' }
  }
}

/**
 * The DuckDB expression that turns a Parquet column of the SDK into the table's value. Timestamps are decimals of seconds; TIMESTAMP_TZ is,
 * in units of its scale, the instant × 2¹⁴ + (minutes east of UTC + 1440).
 */
export function storedValue(parquetColumn: string, type: ColumnType): string {
  switch (type.kind) {
    case 'timestamp_ntz':
      return `make_timestamp(${micros(parquetColumn, type.scale)})`
    case 'timestamp_ltz':
      return `to_timestamp(0) + to_microseconds(${micros(parquetColumn, type.scale)})`
    case 'timestamp_tz': {
      const units = inUnits(parquetColumn, type.scale)
      const instant = `((${units} - (((${units} % 16384) + 16384) % 16384)) // 16384)`
      return `to_timestamp(0) + to_microseconds(${toMicros(instant, type.scale)})`
    }
    case 'variant':
      return `CAST(${parquetColumn} AS JSON)`
    case 'fixed':
      return `CAST(${parquetColumn} AS DECIMAL(${type.precision},${type.scale}))`
    default:
      return parquetColumn
  }
}

function micros(parquetColumn: string, scale: number): string {
  return toMicros(inUnits(parquetColumn, scale), scale)
}

function inUnits(parquetColumn: string, scale: number): string {
  return `CAST(${parquetColumn} * ${10 ** scale} AS HUGEINT)`
}

function toMicros(units: string, scale: number): string {
  return scale > 6
    ? `CAST(${units} // ${10 ** (scale - 6)} AS BIGINT)`
    : `CAST(${units} * ${10 ** (6 - scale)} AS BIGINT)`
}
