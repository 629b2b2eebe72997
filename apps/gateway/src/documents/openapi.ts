import type { CatalogEntry } from '@millrace/core/catalog'
import { isJsonObject, type JsonObject } from '@millrace/core/json'
import { commonAnswers, type Operation, operations } from './operations.ts'
import { relocated } from './relocated.ts'
import { shapes } from './shapes.ts'

/** A route as the router has it: `GET /v1/event-types/:type`. */
export type Route = { readonly method: string; readonly url: string }

/**
 * The OpenAPI 3.1 document of the routes that are there, with the schemas of the event types that are in the catalog now.
 * @throws RangeError when a route is not described
 * @see https://spec.openapis.org/oas/v3.1.0
 */
export function openApiDocument(routes: readonly Route[], catalog: readonly CatalogEntry[]): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {}
  for (const { method, url } of routes) {
    const path = url.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationObject(method, url) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version: '1',
      summary: 'Events in, events out.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { ...shapes, ...dataSchemas(catalog) },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

function operationObject(method: string, url: string): JsonObject {
  const described = operations[`${method} ${url}`]
  if (!described) throw new RangeError(`${method} ${url} is not described`)
  const { summary, description, scopes, parameters, requestBody } = described
  return {
    operationId: operationIdOf(method, url),
    summary,
    ...(description !== undefined && { description }),
    ...(parameters && { parameters }),
    ...(requestBody && { requestBody }),
    responses: answersOf(described),
    security: scopes === null ? [] : [{ bearer: scopes }],
  }
}

function answersOf({ scopes, answers }: Operation): JsonObject {
  return { ...commonAnswers.any, ...(scopes === null ? {} : commonAnswers.withToken), ...answers }
}

/** `GET /v1/event-types/:type` → `getV1EventTypesType`. */
function operationIdOf(method: string, url: string): string {
  const words = url.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return [method.toLowerCase(), ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('')
}

/** The data of each JSON type, for whoever generates a client. Schemas in other formats are in the catalog. */
function dataSchemas(catalog: readonly CatalogEntry[]): JsonObject {
  return Object.fromEntries(
    catalog.flatMap(({ type, format, schema }) =>
      format === 'json' && isJsonObject(schema)
        ? [[`data.${type}`, relocated(schema, `/components/schemas/data.${type}`)]]
        : [],
    ),
  )
}
