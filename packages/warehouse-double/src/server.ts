import type { Logger } from '@millrace/service/logger'
import { fastify, type FastifyInstance } from 'fastify'
import { loadAuthentication } from './authentication.ts'
import { openBlobStore } from './blob.ts'
import { acceptJsonBodies } from './body.ts'
import type { Config } from './config.ts'
import { type Database, openDatabase } from './database.ts'
import { addFaults } from './faults.ts'
import { doubleName, doubleNotice, doubleVersion } from './identity.ts'
import { addJdbcRoutes } from './jdbc-routes.ts'
import { addSqlApiRoutes } from './sql-api-routes.ts'
import { StatementError, tooManyStatements } from './statement-error.ts'
import { addStreamingRoutes } from './streaming-routes.ts'

export type WarehouseDouble = {
  /** Where it listens, as in `http://127.0.0.1:8080`. */
  readonly url: string
  close(): Promise<void>
}

/** Longer than clients keep an idle connection, so that it is never closed under a request. */
const keepAliveTimeoutMs = 65_000
const requestTimeoutMs = 60_000

/**
 * Starts the double: the part of Snowflake's wire protocol that the connector and the SQL API client use, on a DuckDB file.
 * @throws Error when a public key cannot be read, and whatever DuckDB says when its file is taken or damaged.
 */
export async function startWarehouseDouble(config: Config, logger: Logger): Promise<WarehouseDouble> {
  logger.warn({ version: doubleVersion, publicHost: config.publicHost }, doubleNotice)
  const authenticate = await loadAuthentication(config)
  const database = await openDatabase(config.dataDir)
  try {
    const app = createApp(logger)
    const blobs = await openBlobStore(config.dataDir)
    if (config.adminToken !== undefined) addFaults(app, config.adminToken)
    addOwnRoutes(app, database, config)
    addJdbcRoutes(app, database, authenticate)
    addSqlApiRoutes(app, database, authenticate)
    await addStreamingRoutes(app, database, blobs, authenticate)
    const url = await app.listen({ host: config.host, port: config.port })
    return {
      url,
      close: async () => {
        await app.close()
        await database.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

function createApp(logger: Logger): FastifyInstance {
  const app = fastify({
    logger: false,
    keepAliveTimeout: keepAliveTimeoutMs,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
  })
  acceptJsonBodies(app)
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('server', `${doubleName}/${doubleVersion}`)
  })
  app.addHook('onResponse', async ({ method, url }, { statusCode, elapsedTime }) => {
    logger.debug({ method, url, statusCode, elapsedMs: Math.round(elapsedTime) }, 'answered')
  })
  app.setErrorHandler<Error & { statusCode?: number }>((error, { method, url }, reply) => {
    const status = statusOf(error)
    if (status === 500) logger.error({ err: error, method, url }, 'a request failed')
    return reply.code(status).send({ code: String(status), message: error.message, success: false, data: null })
  })
  app.setNotFoundHandler(({ method, url }, reply) => {
    logger.warn({ method, url }, 'asked for something that the double does not speak')
    const message = `${doubleName} does not speak ${method} ${url}`
    return reply.code(404).send({ code: '404', message, success: false, data: null })
  })
  return app
}

/** Too many at once is the one refusal that clients shall try again. */
function statusOf(error: Error & { statusCode?: number }): number {
  if (error instanceof StatementError) return error.code === tooManyStatements ? 503 : 400
  return error.statusCode ?? 500
}

function addOwnRoutes(app: FastifyInstance, database: Database, { account, publicHost }: Config): void {
  app.get('/', () => ({
    name: doubleName,
    version: doubleVersion,
    double: true,
    notice: doubleNotice,
    account,
    publicHost,
  }))
  app.get('/health/ready', async () => {
    await database.reader.transaction((query) => query('SELECT 1'))
    return { ready: true, double: true }
  })
}
