import type { FieldType } from '@millrace/core/field'
import { isJsonObject } from '@millrace/core/json'
import type { SnowflakeSink } from '@millrace/core/sink'

/** A column, and the field of the event that it holds; `undefined` for the record's metadata. */
export type TableColumn = { readonly name: string; readonly type: string; readonly field: string | undefined }

export type Table = {
  readonly database: string
  readonly schema: string
  readonly name: string
  readonly columns: readonly TableColumn[]
}

/** A column as `DESC TABLE` shows it. */
export type DescribedColumn = { readonly name: string; readonly type: string }

/** Where the connector writes topic, partition, offset, key, headers and time of a record: what makes a row traceable and countable. */
const metadataColumn: TableColumn = { name: 'RECORD_METADATA', type: 'VARIANT', field: undefined }

const columnTypes: Record<FieldType, string> = {
  string: 'VARCHAR',
  integer: 'NUMBER(38,0)',
  number: 'FLOAT',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP_TZ',
}

/**
 * The table that a sink fills: the record's metadata, then one column for each property of the event. Scalars get their type, what is
 * nested becomes VARIANT. Every column may be null, since fields come and go as a schema evolves.
 * @throws RangeError when two properties would share a column, or a property cannot be renamed by Connect.
 */
export function tableOf(sink: SnowflakeSink): Table {
  const columns = [metadataColumn, ...columnsOf(sink)]
  const names = columns.map((column) => column.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new RangeError(`sink "${sink.name}": two properties would share the column ${twice}`)
  return { database: sink.database, schema: sink.schema, name: sink.table, columns }
}

function columnsOf({ name: sinkName, from }: SnowflakeSink): TableColumn[] {
  const declared = typeof from.schema === 'string' ? undefined : from.schema['properties']
  const properties = new Set([...Object.keys(from.fields), ...(isJsonObject(declared) ? Object.keys(declared) : [])])
  return [...properties].map((property) => {
    if (/[:,]/.test(property)) {
      throw new RangeError(`sink "${sinkName}": Connect cannot rename a property with ":" or "," as in "${property}"`)
    }
    const field = from.fields[property]
    return { name: columnName(property), type: field ? columnTypes[field.type] : 'VARIANT', field: property }
  })
}

/** `windowStart` → `WINDOW_START`. */
export function columnName(field: string): string {
  return field
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase()
}

/** The statements that make a table where it is missing, in their order. */
export function creationOf(table: Table): string[] {
  const columns = table.columns.map(({ name, type }) => `${quoted(name)} ${type}`).join(', ')
  return [
    `CREATE DATABASE IF NOT EXISTS ${quoted(table.database)}`,
    `CREATE SCHEMA IF NOT EXISTS ${quoted(table.database)}.${quoted(table.schema)}`,
    `CREATE TABLE IF NOT EXISTS ${qualifiedName(table)} (${columns})`,
  ]
}

/** The statement that adds columns to a table. */
export function additionOf(table: Table, columns: readonly TableColumn[]): string {
  const added = columns.map(({ name, type }) => `${quoted(name)} ${type}`).join(', ')
  return `ALTER TABLE ${qualifiedName(table)} ADD COLUMN ${added}`
}

/** The columns that a table should have and, by its description, has not. */
export function missingColumns(table: Table, described: readonly DescribedColumn[]): TableColumn[] {
  const names = new Set(described.map((column) => column.name))
  return table.columns.filter((column) => !names.has(column.name))
}

/** The columns that a table has with another type than it should: nothing adds or changes these by itself. */
export function mismatchedColumns(
  table: Table,
  described: readonly DescribedColumn[],
): { readonly column: TableColumn; readonly actualType: string }[] {
  return table.columns.flatMap((column) => {
    const actual = described.find((other) => other.name === column.name)
    return actual && baseType(actual.type) !== baseType(column.type) ? [{ column, actualType: actual.type }] : []
  })
}

/** `VARCHAR(16777216)` and `VARCHAR` are one type; the digits of a NUMBER count. */
function baseType(type: string): string {
  return type.toUpperCase().replace(/^((?:VARCHAR|TIMESTAMP_\w+))\s*\(.*\)$/, '$1')
}

/** A table's name in SQL, quoted throughout so that reserved words are names too. */
export function qualifiedName({ database, schema, name }: Pick<Table, 'database' | 'schema' | 'name'>): string {
  return [database, schema, name].map(quoted).join('.')
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}
