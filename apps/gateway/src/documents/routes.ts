/** `/openapi.json`, `/asyncapi.json` and the page that shows them. */
import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import type { EventTypes } from '../event-types.ts'
import { asyncApiDocument } from './asyncapi.ts'
import { openApiDocument, type Route } from './openapi.ts'

/** The page shows what its token allows it to fetch, and runs no script but its own. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"

/** Notes every route from now on: call it before the first is added. */
export function noteRoutes(app: FastifyInstance): readonly Route[] {
  const routes: Route[] = []
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of Array.isArray(method) ? method : [method]) {
      // What fastify adds by itself for each GET.
      if (one !== 'HEAD') routes.push({ method: one, url })
    }
  })
  return routes
}

export async function documentRoutes(
  app: FastifyInstance,
  eventTypes: EventTypes,
  routes: readonly Route[],
): Promise<void> {
  const page = await readFile(new URL('page/index.html', import.meta.url), 'utf8')
  const script = await readFile(new URL('page/docs.js', import.meta.url), 'utf8')

  const options = { config: { access: 'any-token' } } as const
  app.get('/openapi.json', options, () => openApiDocument(routes, eventTypes.all()))
  app.get('/asyncapi.json', options, () => asyncApiDocument(eventTypes.all()))
  app.get('/docs', { config: { access: 'public' } }, (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', pagePolicy).send(page),
  )
  app.get('/docs/docs.js', { config: { access: 'public' } }, (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(script),
  )
}
