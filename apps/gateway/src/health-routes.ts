import type { HealthReport } from '@millrace/service/health'
import type { FastifyInstance } from 'fastify'
import { type Authenticate, require } from './authentication.ts'
import { bearerToken } from './bearer-token.ts'
import type { GatewayMetrics } from './metrics.ts'

export type Health = {
  readonly isReady: () => boolean
  /** What the gateway cannot serve without. */
  readonly needed: () => Promise<HealthReport>
  /** Every dependency. */
  readonly all: () => Promise<HealthReport>
}

/** `/health/live`, `/health/ready`, `/health` and `/metrics`. */
export function healthRoutes(
  app: FastifyInstance,
  authenticate: Authenticate,
  health: Health,
  metrics: GatewayMetrics,
): void {
  app.get('/health/live', { config: { public: true } }, () => ({ status: 'up' }))

  app.get('/health/ready', { config: { public: true } }, async (_request, reply) => {
    const ready = health.isReady() && (await health.needed()).status === 'up'
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'up' : 'down' })
  })

  app.get('/health', async (request, reply) => {
    require(await authenticate(bearerToken(request.headers.authorization)), 'ops:read')
    const report = await health.all()
    return reply.code(report.status === 'up' ? 200 : 503).send(report)
  })

  app.get('/metrics', async (request, reply) => {
    require(await authenticate(bearerToken(request.headers.authorization)), 'metrics:read')
    const { contentType, body } = await metrics.exposition()
    return reply.type(contentType).send(body)
  })
}
