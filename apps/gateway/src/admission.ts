/** What every request passes before its route: its token, the rate of whom it names, and whether the route is for them at all. */
import type { Permission } from '@millrace/core/scope'
import type {
  FastifyContextConfig,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HookHandlerDoneFunction,
} from 'fastify'
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
  const admit = (request: FastifyRequest, reply: FastifyReply, identity: Identity, access: Access): void => {
    chargeRequest(rateLimit, identity.subject, reply)
    request.identity = identity
    if (request.is404 || access === 'any-token') return
    if (access === undefined) throw new ProblemError(problem(403, 'this route is for nobody'))
    requireSome(identity, ...access)
  }
  app.addHook('onRequest', (request, reply, done) => {
    const { access } = request.routeOptions.config
    const token = tokenOf(request)
    // That there is no such route may be known to everybody; a token is looked at all the same.
    if (access === 'public' || (request.is404 && token === undefined)) {
      done()
      return
    }
    const identity = authenticate(token)
    // A promise costs each request more than the check of a token that is known.
    if (identity instanceof Promise) {
      identity.then((found) => admit(request, reply, found, access)).then(() => done(), failed(done))
      return
    }
    admit(request, reply, identity, access)
    done()
  })
}

type Access = Exclude<FastifyContextConfig['access'], 'public'>

/** Whatever it is that went wrong: done without an error would let the request in. */
function failed(done: HookHandlerDoneFunction): (reason: unknown) => void {
  return (reason) =>
    done(reason instanceof Error ? reason : new Error('a token could not be checked', { cause: reason }))
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  return bearerToken(headers.authorization) ?? subprotocolToken(headers['sec-websocket-protocol'])
}
