/** What every request passes before its route: its token, the rate of whom it names, and whether the route is for them at all. */
import type { Permission } from '@millrace/core/scope'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Authenticate, type Identity, requireSome } from './authentication.ts'
import { bearerToken, subprotocolToken } from './bearer-token.ts'
import { problem, ProblemError } from './problem.ts'
import { chargeRequest, type RateLimit } from './rate-limit.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Whom the route is for: everybody, without a token; whoever has a token; or whose token allows one of some actions, for whatever
     * event type: which one it is for, the route asks itself. A route that says nothing is for nobody.
     */
    access?: 'public' | 'any-token' | readonly Permission['action'][]
  }
}

/** Sets the identity of each request but those of public routes, charges it to its subject, and ends what may not be with 401, 403 or 429. */
export function admitRequests(app: FastifyInstance, authenticate: Authenticate, rateLimit: RateLimit): void {
  const admit = (request: FastifyRequest, reply: FastifyReply, identity: Identity): void => {
    const { access } = request.routeOptions.config
    chargeRequest(rateLimit, identity.subject, reply)
    request.identity = identity
    if (request.is404 || access === 'any-token' || access === 'public') return
    if (access === undefined) throw new ProblemError(problem(403, 'this route is for nobody'))
    requireSome(identity, ...access)
  }
  // Without a promise where a token is known, as nearly all are.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.access === 'public') return done()
    const token = tokenOf(request)
    // That there is no such route may be known to everybody; a token is looked at all the same.
    if (request.is404 && token === undefined) return done()
    const identity = authenticate(token)
    if (identity instanceof Promise) identity.then((found) => admit(request, reply, found)).then(() => done(), done)
    else {
      admit(request, reply, identity)
      done()
    }
  })
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  return bearerToken(headers.authorization) ?? subprotocolToken(headers['sec-websocket-protocol'])
}
