import { MillraceError } from '@millrace/core/errors'
import { jwtLifetimeSecondsMax, keyPairJwt, type KeyPairIdentity } from './snowflake-key.ts'
import { parseFailure, parsePartition, parseResult, type StatementResult } from './snowflake-result.ts'
import { rowsOf, type WarehouseRow } from './snowflake-value.ts'

export type WarehouseOptions = KeyPairIdentity & {
  /** Where the account answers, as in `https://account.snowflakecomputing.com`. */
  readonly url: string
  readonly role: string
  /** The virtual warehouse that computes; needed by queries, not by DDL. */
  readonly warehouse?: string
  /** The longest that one statement may take, its answer included. */
  readonly timeoutMs: number
}

/** A value for a `?` in a statement. */
export type Binding = string | number | boolean | null

export type Warehouse = {
  /**
   * Runs a statement and returns its rows, by column name. Values are text; timestamps ISO 8601 (UTC where the type has a time zone),
   * dates `YYYY-MM-DD`, variants JSON text.
   * @throws MillraceError `warehouse.unavailable` when no answer came in time (whether it ran is unknown), `warehouse.refused` when
   * Snowflake rejected the token or the statement.
   */
  query(statement: string, bindings?: readonly Binding[]): Promise<WarehouseRow[]>
  /** Runs a statement for its effect. Throws as `query` does. */
  execute(statement: string, bindings?: readonly Binding[]): Promise<void>
}

const tokenRenewalMs = (jwtLifetimeSecondsMax * 1_000) / 2
const pollIntervalMs = 500
const statementsPath = '/api/v2/statements'

/**
 * A client of Snowflake's SQL API, signed in by key pair. It holds no connection.
 * @see https://docs.snowflake.com/en/developer-guide/sql-api/reference
 */
export function openWarehouse(options: WarehouseOptions): Warehouse {
  const token = tokenSource(options)
  const run = (statement: string, bindings: readonly Binding[]) => runStatement(options, token, statement, bindings)
  return {
    query: async (statement, bindings = []) => {
      const { columns, data } = await run(statement, bindings)
      return rowsOf(columns, data)
    },
    execute: async (statement, bindings = []) => {
      await run(statement, bindings)
    },
  }
}

function tokenSource(identity: KeyPairIdentity): () => string {
  let kept: { readonly token: string; readonly renewAtMs: number } | undefined
  return () => {
    const nowMs = Date.now()
    if (!kept || nowMs >= kept.renewAtMs) {
      kept = { token: keyPairJwt(identity, nowMs), renewAtMs: nowMs + tokenRenewalMs }
    }
    return kept.token
  }
}

async function runStatement(
  options: WarehouseOptions,
  token: () => string,
  statement: string,
  bindings: readonly Binding[],
): Promise<StatementResult> {
  const signal = AbortSignal.timeout(options.timeoutMs)
  const call = (method: 'GET' | 'POST', path: string, body?: unknown) =>
    request(options.url, token(), signal, method, path, body)
  const answer = await call('POST', statementsPath, {
    statement,
    timeout: Math.ceil(options.timeoutMs / 1_000),
    role: options.role,
    ...(options.warehouse === undefined ? {} : { warehouse: options.warehouse }),
    ...(bindings.length === 0 ? {} : { bindings: bindingsOf(bindings) }),
  })
  const result = parseResult(await finished(answer, signal, (path) => call('GET', path)))
  const data = [...result.data]
  for (let partition = 1; partition < result.partitions; partition++) {
    const { body } = await call('GET', `${statementsPath}/${result.handle}?partition=${partition}`)
    data.push(...parsePartition(body))
  }
  return { ...result, data }
}

type Answer = { readonly status: number; readonly body: unknown }

/** Snowflake answers 202 while a statement is still running. */
async function finished(answer: Answer, signal: AbortSignal, get: (path: string) => Promise<Answer>): Promise<unknown> {
  let current = answer
  while (current.status === 202) {
    const { handle } = parseFailure(current.body)
    if (handle === undefined) throw new MillraceError('warehouse.refused', 'Snowflake answered 202 without a handle')
    await pause(pollIntervalMs, signal)
    current = await get(`${statementsPath}/${handle}`)
  }
  return current.body
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), delayMs)
  signal.addEventListener('abort', () => resolve(undefined), { once: true })
  await promise
  clearTimeout(timer)
}

async function request(
  url: string,
  token: string,
  signal: AbortSignal,
  method: 'GET' | 'POST',
  path: string,
  body: unknown,
): Promise<Answer> {
  try {
    const response = await fetch(new URL(path, url), {
      method,
      signal,
      headers: {
        authorization: `Bearer ${token}`,
        'x-snowflake-authorization-token-type': 'KEYPAIR_JWT',
        accept: 'application/json',
        'content-type': 'application/json',
        'user-agent': 'millrace/0.1',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return accepted(response.status, text, url)
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause
    throw new MillraceError('warehouse.unavailable', `no answer from the warehouse at ${url}`, { cause })
  }
}

function accepted(status: number, text: string, url: string): Answer {
  if (status === 408 || status === 429 || status >= 500) {
    throw new MillraceError('warehouse.unavailable', `the warehouse at ${url} answered ${status}: try again later`)
  }
  const body = jsonOf(text)
  if (status >= 400) {
    const { code, message } = parseFailure(body)
    throw new MillraceError('warehouse.refused', `the warehouse refused (${status}, code ${code}): ${message}`)
  }
  return { status, body }
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

function bindingsOf(bindings: readonly Binding[]): Record<string, { type: string; value: string | null }> {
  return Object.fromEntries(
    bindings.map((value, index) => [
      String(index + 1),
      { type: bindingTypeOf(value), value: value === null ? null : String(value) },
    ]),
  )
}

function bindingTypeOf(value: Binding): 'TEXT' | 'FIXED' | 'REAL' | 'BOOLEAN' {
  if (typeof value === 'number') return Number.isInteger(value) ? 'FIXED' : 'REAL'
  return typeof value === 'boolean' ? 'BOOLEAN' : 'TEXT'
}
