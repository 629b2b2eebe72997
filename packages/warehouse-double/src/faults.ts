import { timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { parseBody } from './body.ts'

const faultSchema = z.strictObject({
  /** A part of the path of the requests that fail. */
  match: z.string().min(1),
  /** `status`: answered so, nothing done. `drop`: connection cut, nothing done. `hang`: never answered. `lost-answer`: done, then cut. */
  mode: z.enum(['status', 'drop', 'hang', 'lost-answer']),
  status: z.int().min(400).max(599).default(503),
  count: z.int().min(1).max(10_000).default(1),
})
type Fault = z.infer<typeof faultSchema>

const faultsMax = 100
const path = '/_admin/faults'

/**
 * Faults on demand, for tests: `POST /_admin/faults` makes the next `count` requests fail, `GET` shows what is left, `DELETE` ends it all.
 * The routes exist only where an admin token is configured.
 */
export function addFaults(app: FastifyInstance, adminToken: string): void {
  let faults: Fault[] = []
  const losing = new WeakSet<FastifyRequest>()

  app.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith(path)) return
    const fault = faults.find(({ match }) => request.url.includes(match))
    if (!fault) return
    fault.count -= 1
    faults = faults.filter(({ count }) => count > 0)
    if (fault.mode === 'status')
      return reply.code(fault.status).send({ code: String(fault.status), message: 'injected' })
    if (fault.mode === 'lost-answer') losing.add(request)
    else {
      reply.hijack()
      if (fault.mode === 'drop') request.raw.socket.destroy()
    }
  })
  app.addHook('onSend', async (request, reply, payload) => {
    if (!losing.has(request)) return payload
    reply.hijack()
    request.raw.socket.destroy()
    return payload
  })

  const guarded = { preHandler: adminOnly(adminToken) }
  app.get(path, guarded, () => ({ faults }))
  app.post(path, guarded, ({ body }, reply) => {
    const fault = parseBody(faultSchema, body)
    if (faults.length >= faultsMax) return reply.code(429).send({ message: `at most ${faultsMax} faults at once` })
    faults.push(fault)
    return reply.code(201).send({ faults })
  })
  app.delete(path, guarded, () => {
    faults = []
    return { faults }
  })
}

function adminOnly(adminToken: string) {
  const expected = Buffer.from(`Bearer ${adminToken}`)
  return (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    const given = Buffer.from(request.headers.authorization ?? '')
    const isAdmin = given.length === expected.length && timingSafeEqual(given, expected)
    done(isAdmin ? undefined : Object.assign(new Error('the admin token is missing or wrong'), { statusCode: 401 }))
  }
}
