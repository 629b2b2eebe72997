import { MillraceError } from '@millrace/core/errors'
import { isJsonObject } from '@millrace/core/json'

/** A result column; `type` is Snowflake's name in lower case, as in `fixed`, `timestamp_tz`. */
export type ResultColumn = { readonly name: string; readonly type: string }
export type ResultRow = readonly (string | null)[]

export type StatementResult = {
  readonly handle: string
  readonly columns: readonly ResultColumn[]
  /** How many parts the rows come in; `data` is the first of them. */
  readonly partitions: number
  readonly data: readonly ResultRow[]
}

/**
 * Reads a ResultSet of the SQL API.
 * @throws MillraceError `warehouse.refused` when the answer has another shape.
 */
export function parseResult(body: unknown): StatementResult {
  const metadata = memberOf(body, 'resultSetMetaData')
  const rowType = memberOf(metadata, 'rowType')
  const partitions = memberOf(metadata, 'partitionInfo')
  if (!Array.isArray(rowType)) throw malformed('resultSetMetaData.rowType')
  return {
    handle: textOf(memberOf(body, 'statementHandle')) ?? '',
    columns: rowType.map((column: unknown) => ({
      name: textOf(memberOf(column, 'name')) ?? '',
      type: textOf(memberOf(column, 'type'))?.toLowerCase() ?? '',
    })),
    partitions: Array.isArray(partitions) ? partitions.length : 1,
    data: parsePartition(body),
  }
}

/** Reads the rows of one partition. Throws as `parseResult` does. */
export function parsePartition(body: unknown): ResultRow[] {
  const data = memberOf(body, 'data')
  if (!Array.isArray(data)) throw malformed('data')
  return data.map((row: unknown) => {
    if (!Array.isArray(row)) throw malformed('data')
    return row.map((value: unknown) => textOf(value) ?? null)
  })
}

export type Failure = { readonly code: string; readonly message: string; readonly handle: string | undefined }

/** What Snowflake says about a statement that failed, or has not ended yet. */
export function parseFailure(body: unknown): Failure {
  return {
    code: textOf(memberOf(body, 'code')) ?? 'unknown',
    message: textOf(memberOf(body, 'message')) ?? 'no message',
    handle: textOf(memberOf(body, 'statementHandle')),
  }
}

function memberOf(value: unknown, name: string): unknown {
  return isJsonObject(value) ? value[name] : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function malformed(member: string): MillraceError {
  return new MillraceError('warehouse.refused', `the answer is not one of Snowflake's SQL API: no "${member}"`)
}
