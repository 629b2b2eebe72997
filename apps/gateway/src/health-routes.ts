import type { HealthReport } from '@millrace/service/health'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { GatewayMetrics } from './metrics.ts'
import { retryAfterSeconds } from './problem.ts'

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
    return answerHealth(reply, ready).send({ status: ready ? 'up' : 'down' })
  })

  app.get('/health', { config: { access: ['ops:read'] } }, async (_request, reply) => {
    const report = await health.all()
    return answerHealth(reply, report.status === 'up').send(report)
  })

  app.get('/metrics', { config: { access: ['metrics:read'] } }, async (_request, reply) => {
    const { contentType, body } = await metrics.exposition()
    return reply.type(contentType).send(body)
  })
}

function answerHealth(reply: FastifyReply, isUp: boolean): FastifyReply {
  return isUp ? reply.code(200) : reply.code(503).header('retry-after', String(retryAfterSeconds))
}
