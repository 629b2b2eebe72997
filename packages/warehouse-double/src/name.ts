import { StatementError } from './statement-error.ts'

/** An object's full name, each part as Snowflake stores it: upper-case, unless it was quoted. */
export type ObjectName = { readonly database: string; readonly schema: string; readonly name: string }

/** Where names that are not full are looked up. */
export type NameContext = { readonly database: string | undefined; readonly schema: string | undefined }

const partPattern = /^[^".\p{Cc}]{1,255}$/u

/** Reads `db.schema."Name"`. @throws StatementError when a part is empty or has a dot or quote in it. */
export function parseName(text: string): string[] {
  const parts = text.trim().match(/"[^"]*"|[^."]+/g) ?? []
  if (parts.join('.') !== text.trim()) throw new StatementError(`invalid identifier '${text}'`)
  return parts.map((part) => storedPart(part))
}

/** A part as it was written → as it is stored. */
export function storedPart(written: string): string {
  const part = written.startsWith('"') ? written.slice(1, -1) : written.toUpperCase()
  if (!partPattern.test(part))
    throw new StatementError(`the warehouse double does not take the identifier '${written}'`)
  return part
}

/** Completes a table's name from the context. */
export function resolveName(parts: readonly string[], context: NameContext): ObjectName {
  const [name, schema = context.schema, database = context.database, ...rest] = [...parts].reverse()
  if (name === undefined || rest.length > 0) throw new StatementError(`invalid identifier '${parts.join('.')}'`)
  if (database === undefined || schema === undefined) {
    throw new StatementError(
      `Cannot perform operation. This session does not have a current database.`,
      '090105',
      '22000',
    )
  }
  return { database, schema, name }
}

export function displayName({ database, schema, name }: ObjectName): string {
  return `${database}.${schema}.${name}`
}

/** The DuckDB table of an object: one file holds all databases, so that a commit over several tables is one transaction. */
export function duckdbTable({ database, schema, name }: ObjectName): string {
  return `${duckdbSchema(database, schema)}.${duckdbIdentifier(name)}`
}

export function duckdbSchema(database: string, schema: string): string {
  return duckdbIdentifier(`${database}.${schema}`)
}

export function duckdbIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
