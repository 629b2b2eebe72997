/** `/openapi.json`, `/asyncapi.json` and the page that shows them. */
import { readFile } from 'node:fs/promises'
import type { CatalogEntry } from '@millrace/core/catalog'
import type { FastifyInstance } from 'fastify'
import { asyncApiDocument } from './asyncapi.ts'
import { openApiDocument, type Route } from './openapi.ts'
import { referenceOf } from './reference/reference.ts'

/** The page shows what its token allows it to fetch, and has no script and no style but its own. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const jsonType = 'application/json; charset=utf-8'

type Catalog = { readonly all: () => readonly CatalogEntry[] }

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
  eventTypes: Catalog,
  routes: readonly Route[],
): Promise<void> {
  const openApi = perCatalog(eventTypes, (catalog) => JSON.stringify(openApiDocument(routes, catalog)))
  const asyncApi = perCatalog(eventTypes, (catalog) => JSON.stringify(asyncApiDocument(catalog)))
  const reference = perCatalog(eventTypes, (catalog) => referenceOf(openApiDocument(routes, catalog), catalog))
  const withToken = { config: { access: 'any-token' } } as const
  app.get('/openapi.json', withToken, (_request, reply) => reply.type(jsonType).send(openApi()))
  app.get('/asyncapi.json', withToken, (_request, reply) => reply.type(jsonType).send(asyncApi()))
  app.get('/docs/reference', withToken, (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', pagePolicy).send(reference()),
  )
  await fileRoute(app, '/docs', 'index.html', 'text/html')
  await fileRoute(app, '/docs/docs.css', 'docs.css', 'text/css')
  await fileRoute(app, '/docs/docs.js', 'docs.js', 'text/javascript')
}

/** What is made of the catalog, made again when the catalog has changed: of hundreds of types it takes as long as hundreds of events. */
function perCatalog(eventTypes: Catalog, make: (catalog: readonly CatalogEntry[]) => string): () => string {
  let made: { readonly catalog: readonly CatalogEntry[]; readonly text: string } | undefined
  return () => {
    const catalog = eventTypes.all()
    const isSame = made?.catalog.length === catalog.length && made.catalog.every((entry, at) => entry === catalog[at])
    if (!made || !isSame) made = { catalog: [...catalog], text: make(catalog) }
    return made.text
  }
}

/** A file of the page: it is the same for everybody. */
async function fileRoute(app: FastifyInstance, url: string, name: string, mediaType: string): Promise<void> {
  const text = await readFile(new URL(`page/${name}`, import.meta.url), 'utf8')
  app.get(url, { config: { access: 'public' } }, (_request, reply) =>
    reply.type(`${mediaType}; charset=utf-8`).header('content-security-policy', pagePolicy).send(text),
  )
}
