import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import { type Authenticate, bearerOf } from './authentication.ts'
import { parseBody } from './body.ts'
import type { Database } from './database.ts'
import { rowType } from './jdbc-routes.ts'
import { storedPart } from './name.ts'
import type { Result, ResultRow } from './result.ts'
import { executeStatement } from './sql-execute.ts'
import { StatementError, tooManyStatements } from './statement-error.ts'

const partitionRows = 10_000
/** Results whose further partitions may still be fetched; the oldest gives way. */
const resultsKeptMax = 4

const statementSchema = z.strictObject({
  statement: z.string().min(1),
  timeout: z.number().optional(),
  database: z.string().optional(),
  schema: z.string().optional(),
  warehouse: z.string().optional(),
  role: z.string().optional(),
  bindings: z.record(z.string(), z.looseObject({ type: z.string(), value: z.string().nullable() })).optional(),
})
const partitionSchema = z.strictObject({ partition: z.coerce.number().int().min(0).default(0) })
const handleSchema = z.strictObject({ handle: z.string() })

/**
 * The part of Snowflake's SQL API that the platform uses: one statement a request, answered when it has run, rows as text in partitions.
 * @see https://docs.snowflake.com/en/developer-guide/sql-api/reference
 */
export function addSqlApiRoutes(app: FastifyInstance, database: Database, authenticate: Authenticate): void {
  const kept = new Map<string, Result>()
  void app.register((api, _options, done) => {
    api.decorateRequest('user', '')
    api.addHook('onRequest', async (request, reply) => {
      const verdict = authenticate(bearerOf(request.headers))
      if (!verdict.ok) {
        return reply.code(401).send({ code: '390144', message: `JWT token is invalid. [${verdict.reason}]` })
      }
      request.setDecorator('user', verdict.user)
    })
    api.setErrorHandler<Error>((error, _request, reply) => {
      if (!(error instanceof StatementError)) throw error
      const status = error.code === '391902' ? 400 : error.code === tooManyStatements ? 429 : 422
      return reply.code(status).send({ code: error.code, sqlState: error.sqlState, message: error.message })
    })
    api.post('/api/v2/statements', async (request) => {
      const body = parseBody(statementSchema, request.body)
      const result = await executeStatement(
        database,
        { user: request.getDecorator<string>('user'), ...contextOf(body) },
        body.statement,
        Object.entries(body.bindings ?? {})
          .sort(([left], [right]) => Number(left) - Number(right))
          .map(([, binding]) => binding),
      )
      const handle = randomUUID()
      if (result.rows.length > partitionRows) keep(kept, handle, result)
      return resultSet(handle, result)
    })
    api.get('/api/v2/statements/:handle', (request, reply) => {
      const { handle } = parseBody(handleSchema, request.params)
      const { partition } = parseBody(partitionSchema, request.query)
      const result = kept.get(handle)
      if (!result) return reply.code(404).send({ code: '391918', message: 'the result is no longer kept' })
      return partition === 0 ? resultSet(handle, result) : { data: rowsOfPartition(result, partition) }
    })
    done()
  })
}

function contextOf({ role, warehouse, database, schema }: z.infer<typeof statementSchema>) {
  const stored = (name: string | undefined) => (name === undefined ? undefined : storedPart(name))
  return {
    role: stored(role),
    warehouse: stored(warehouse),
    database: stored(database),
    schema: stored(schema),
  }
}

function keep(kept: Map<string, Result>, handle: string, result: Result): void {
  kept.set(handle, result)
  const oldest = kept.keys().next().value
  if (kept.size > resultsKeptMax && oldest !== undefined) kept.delete(oldest)
}

function resultSet(handle: string, result: Result) {
  const partitions = Math.max(1, Math.ceil(result.rows.length / partitionRows))
  return {
    code: '090001',
    sqlState: '00000',
    message: 'Statement executed successfully.',
    statementHandle: handle,
    statementStatusUrl: `/api/v2/statements/${handle}`,
    createdOn: Date.now(),
    resultSetMetaData: {
      numRows: result.rows.length,
      format: 'jsonv2',
      rowType: result.columns.map(rowType),
      partitionInfo: Array.from({ length: partitions }, (_, partition) => ({
        rowCount: rowsOfPartition(result, partition).length,
      })),
    },
    data: rowsOfPartition(result, 0),
  }
}

function rowsOfPartition({ rows }: Result, partition: number): readonly ResultRow[] {
  return rows.slice(partition * partitionRows, (partition + 1) * partitionRows)
}
