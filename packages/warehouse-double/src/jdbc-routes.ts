import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import * as z from 'zod'
import type { Authenticate } from './authentication.ts'
import { parseBody } from './body.ts'
import type { ColumnType } from './column-type.ts'
import type { Database } from './database.ts'
import { doubleVersion } from './identity.ts'
import { type Result, type ResultColumn, textResult } from './result.ts'
import { createSessions, type Sessions } from './session.ts'
import { executeStatement, type StatementContext } from './sql-execute.ts'
import { type BindingValue, parseStatement } from './sql-statement.ts'
import { StatementError } from './statement-error.ts'

const sessionSeconds = 3_600
const masterSeconds = 14_400

const loginSchema = z.looseObject({
  data: z.looseObject({ AUTHENTICATOR: z.string().optional(), TOKEN: z.string().optional() }),
})
const querySchema = z.looseObject({
  sqlText: z.string(),
  describeOnly: z.boolean().optional(),
  bindings: z.record(z.string(), z.looseObject({ type: z.string(), value: z.string().nullable() })).nullish(),
})
const loginQuerySchema = z.looseObject({
  databaseName: z.string().optional(),
  schemaName: z.string().optional(),
  warehouse: z.string().optional(),
  roleName: z.string().optional(),
})

/** What Snowflake's JDBC driver says: sign in by key pair, run statements, keep the session alive, end it. */
export function addJdbcRoutes(app: FastifyInstance, database: Database, authenticate: Authenticate): void {
  const sessions = createSessions()

  app.post('/session/v1/login-request', ({ body, query }) => {
    const { AUTHENTICATOR, TOKEN } = parseBody(loginSchema, body).data
    const verdict =
      AUTHENTICATOR === 'SNOWFLAKE_JWT'
        ? authenticate(TOKEN)
        : { ok: false as const, reason: 'a key pair is the only way in' }
    if (!verdict.ok) return failure('390144', `JWT token is invalid. [${verdict.reason}]`)
    const context = contextOf(verdict.user, parseBody(loginQuerySchema, query))
    return signedIn(sessions.open(context), context)
  })
  app.post('/queries/v1/query-request', async (request) => {
    const session = sessions.find(tokenOf(request))
    if (!session) return failure('390104', 'the session is gone: sign in again')
    return runQuery(database, session, parseBody(querySchema, request.body))
  })
  app.post('/session', (request) => {
    sessions.close(tokenOf(request))
    return success(null)
  })
  app.post('/session/heartbeat', (request) =>
    sessions.find(tokenOf(request)) ? success(null) : failure('390104', 'the session is gone: sign in again'),
  )
  app.post('/session/token-request', (request) => renewed(sessions, request))
  for (const path of ['/telemetry/send', '/telemetry/send/sessionless']) app.post(path, () => success('Log Received'))
}

function contextOf(user: string, settings: z.infer<typeof loginQuerySchema>): StatementContext {
  return {
    user,
    role: settings.roleName?.toUpperCase(),
    warehouse: settings.warehouse?.toUpperCase(),
    database: settings.databaseName?.toUpperCase(),
    schema: settings.schemaName?.toUpperCase(),
  }
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  return /Token="([^"]+)"/.exec(headers.authorization ?? '')?.[1]
}

async function runQuery(database: Database, session: StatementContext, body: z.infer<typeof querySchema>) {
  try {
    const bindings = orderedBindings(body.bindings ?? {})
    const isDescription = body.describeOnly === true && parseStatement(body.sqlText, bindings).kind !== 'select'
    const result = isDescription
      ? textResult(['status'], [])
      : await executeStatement(database, session, body.sqlText, bindings)
    return success(resultData(result, session))
  } catch (error) {
    if (!(error instanceof StatementError)) throw error
    return failure(error.code, error.message, { errorCode: error.code, sqlState: error.sqlState })
  }
}

/** Bindings come by their position: `{"1": …, "2": …}`. */
function orderedBindings(bindings: Readonly<Record<string, BindingValue>>): BindingValue[] {
  return Object.entries(bindings)
    .sort(([left], [right]) => Number(left) - Number(right))
    .map(([, binding]) => binding)
}

function signedIn(token: string, context: StatementContext) {
  return success({
    token,
    masterToken: token,
    validityInSeconds: sessionSeconds,
    masterValidityInSeconds: masterSeconds,
    displayUserName: context.user,
    serverVersion: doubleVersion,
    firstLogin: false,
    healthCheckInterval: 45,
    sessionId: Date.now(),
    parameters: [
      { name: 'AUTOCOMMIT', value: true },
      { name: 'TIMEZONE', value: 'UTC' },
      { name: 'CLIENT_TELEMETRY_ENABLED', value: false },
      { name: 'JDBC_QUERY_RESULT_FORMAT', value: 'JSON' },
    ],
    sessionInfo: {
      databaseName: context.database,
      schemaName: context.schema,
      warehouseName: context.warehouse,
      roleName: context.role,
    },
  })
}

function renewed(sessions: Sessions, request: FastifyRequest) {
  const token = tokenOf(request)
  if (!sessions.find(token)) return failure('390104', 'the session is gone: sign in again')
  return success({
    sessionToken: token,
    masterToken: token,
    validityInSecondsST: sessionSeconds,
    validityInSecondsMT: masterSeconds,
    sessionId: Date.now(),
  })
}

function success(data: unknown) {
  return { success: true, code: null, message: null, data }
}

function failure(code: string, message: string, data: unknown = null) {
  return { success: false, code, message, data, headers: null }
}

function resultData({ columns, rows }: Result, session: StatementContext) {
  return {
    parameters: [],
    rowtype: columns.map(rowType),
    rowset: rows,
    total: rows.length,
    returned: rows.length,
    queryId: randomUUID(),
    finalDatabaseName: session.database,
    finalSchemaName: session.schema,
    finalWarehouseName: session.warehouse,
    finalRoleName: session.role,
    numberOfBinds: 0,
    arrayBindSupported: false,
    statementTypeId: 0x1000,
    version: 1,
    queryResultFormat: 'json',
  }
}

/** A result column's description, the same in the driver's protocol and in the SQL API. */
export function rowType({ name, type, nullable }: ResultColumn) {
  return { name, database: '', schema: '', table: '', type: type.kind, nullable, collation: null, ...sizeOf(type) }
}

function sizeOf(type: ColumnType) {
  const none = { length: null, byteLength: null, precision: null, scale: null }
  if (type.kind === 'text') return { ...none, length: type.length, byteLength: type.length }
  if (type.kind === 'fixed') return { ...none, precision: type.precision, scale: type.scale }
  return 'scale' in type ? { ...none, scale: type.scale } : none
}
