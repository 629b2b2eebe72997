import type { HealthReport } from '@millrace/service/health'
import type { FastifyInstance } from 'fastify'
import type { GatewayMetrics } from './metrics.ts'

export type Health = {
  readonly isReady: () => boolean
  /** What the gateway cannot serve without. */
  readonly needed: () => Promise<HealthReport>
  /** Every dependency. */
  readonly all: () => Promise<HealthReport>
}

/** `/health/live`, `/health/ready`, `/health` and `/metrics`. */
export function healthRoutes(app: FastifyInstance, health: Health, metrics: GatewayMetrics): void {
  app.get('/health/live', { config: { access: 'public' } }, () => ({ status: 'up' }))

  app.get('/health/ready', { config: { access: 'public' } }, async (_request, reply) => {
    const ready = health.isReady() && (await health.needed()).status === 'up'
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'up' : 'down' })
  })

  app.get('/health', { config: { access: ['ops:read'] } }, async (_request, reply) => {
    const report = await health.all()
    return reply.code(report.status === 'up' ? 200 : 503).send(report)
  })

  app.get('/metrics', { config: { access: ['metrics:read'] } }, async (_request, reply) => {
    const { contentType, body } = await metrics.exposition()
    return reply.type(contentType).send(body)
  })
}
