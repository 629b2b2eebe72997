import { MillraceError } from '@millrace/core/errors'
import { isJsonObject, type JsonObject, type JsonValue } from '@millrace/core/json'
import { poll } from './deadline.ts'
import { objectsOf, request, textOf } from './rest.ts'

/** The SQL Gateway of a Flink cluster (its REST endpoint, version 1). */
export type SqlGateway = {
  /** Runs statements in this order in a session of their own, and returns the rows of the last one. */
  run(statements: readonly string[]): Promise<readonly Row[]>
}

export type Row = readonly JsonValue[]

export type SqlGatewayOptions = {
  readonly url: string
  /** The longest that one statement may take; a first job on a busy machine is planned in ten seconds. */
  readonly statementTimeoutMs?: number
}

const statementTimeoutDefaultMs = 120_000
const closeTimeoutMaxMs = 5_000

/**
 * A client of the SQL Gateway.
 *
 * `run` throws a MillraceError: `flink.unavailable` when the gateway does not answer or a statement outlasts its deadline,
 * `flink.refused` with the root cause when Flink does not take a statement.
 * @see https://nightlies.apache.org/flink/flink-docs-release-2.3/docs/sql/interfaces/sql-gateway/rest/
 */
export function sqlGateway({ url, statementTimeoutMs = statementTimeoutDefaultMs }: SqlGatewayOptions): SqlGateway {
  return {
    run: async (statements) => {
      const session = `/v1/sessions/${await openSession(url, statementTimeoutMs)}`
      try {
        let rows: readonly Row[] = []
        for (const statement of statements) rows = await runStatement(url, session, statement, statementTimeoutMs)
        return rows
      } finally {
        // A session that stays open costs memory until it times out by itself, which is no reason to fail.
        const timeoutMs = Math.min(statementTimeoutMs, closeTimeoutMaxMs)
        await request(new URL(session, url), 'DELETE', undefined, timeoutMs).catch(() => undefined)
      }
    },
  }
}

async function openSession(url: string, timeoutMs: number): Promise<string> {
  return handle(await request(new URL('/v1/sessions', url), 'POST', {}, timeoutMs), 'sessionHandle')
}

async function runStatement(url: string, session: string, statement: string, timeoutMs: number): Promise<Row[]> {
  const deadline = performance.now() + timeoutMs
  const submitted = await request(new URL(`${session}/statements`, url), 'POST', { statement }, timeoutMs)
  const operation = handle(submitted, 'operationHandle')
  const rows: Row[] = []
  let next: string | undefined = `${session}/operations/${operation}/result/0?rowFormat=JSON`
  while (next !== undefined) {
    if (performance.now() >= deadline) {
      throw new MillraceError('flink.unavailable', `a statement has no last row after ${timeoutMs} ms`)
    }
    const page = await resultPage(new URL(next, url), deadline - performance.now())
    rows.push(...rowsOf(page))
    next = page['resultType'] === 'EOS' ? undefined : textOf(page['nextResultUri'])
  }
  return rows
}

/** A page of a result, as soon as the operation has come so far. */
async function resultPage(url: URL, timeoutMs: number): Promise<JsonObject> {
  return poll('to run a statement', timeoutMs, async (leftMs) => {
    const page = await request(url, 'GET', undefined, leftMs)
    return page['resultType'] === 'NOT_READY' ? undefined : page
  })
}

function rowsOf(page: JsonObject): Row[] {
  const results = page['results']
  if (!isJsonObject(results)) return []
  return objectsOf(results['data']).flatMap(({ fields }) => (Array.isArray(fields) ? [fields] : []))
}

function handle(answer: JsonObject, name: string): string {
  const value = textOf(answer[name])
  if (value === undefined) throw new MillraceError('flink.refused', `the SQL Gateway's answer has no ${name}`)
  return value
}
