/** What every request passes before its route: its token, once, and the rate of whom it names. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Authenticate } from './authentication.ts'
import { bearerToken, subprotocolToken } from './bearer-token.ts'
import { chargeRequest, type RateLimit } from './rate-limit.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route needs no token, and asks nothing of one that is sent. */
    public?: boolean
  }
}

/**
 * A request with a token is charged to its subject; with a bad one it ends here with 401. Routes still ask for the token themselves
 * (which by then is a look into memory), so that a route that forgets to is the only one that is open.
 */
export function admitRequests(app: FastifyInstance, authenticate: Authenticate, rateLimit: RateLimit): void {
  app.addHook('onRequest', async (request, reply) => {
    const token = tokenOf(request)
    if (token === undefined || request.routeOptions.config.public === true) return
    const identity = await authenticate(token)
    chargeRequest(rateLimit, identity.subject, reply)
    request.identity = identity
  })
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  return bearerToken(headers.authorization) ?? subprotocolToken(headers['sec-websocket-protocol'])
}
