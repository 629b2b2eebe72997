import type { CatalogEntry } from '@millrace/core/catalog'
import type { JsonObject } from '@millrace/core/json'
import { eventData } from './event-data.ts'
import { commonAnswers, headers, type Operation, type Tag, withHeaders } from './operation.ts'
import { operations } from './operations.ts'
import { components } from './relocated.ts'
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
      description:
        'Publish events that are checked against their schemas and stored before they are acknowledged; read them, or follow them live.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This instance.' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: { ...shapes, ...dataSchemas(catalog) },
      headers,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'A token whose `scope` has what a route asks for. A pattern is an event type, or its beginning with `*` for the tail: `order.*`. A WebSocket of a browser passes it as the subprotocols `bearer` and the token.',
        },
      },
    },
  }
}

const tags: Readonly<Record<Tag, string>> = {
  Publish: 'Send events.',
  Read: 'Look at events, page through them, follow them live.',
  'Dead letters': 'Look at events that failed after they were accepted, and put them back.',
  Catalog: 'What event types there are; register and evolve them.',
  Operation: 'Whether it is well, for probes and monitoring.',
  Documents: 'What there is, for programs and people.',
}

function operationObject(method: string, url: string): JsonObject {
  const described = operations[`${method} ${url}`]
  if (!described) throw new RangeError(`${method} ${url} is not described`)
  const { summary, description, tag, scopes, parameters, requestBody } = described
  return {
    operationId: operationIdOf(method, url),
    summary,
    tags: [tag],
    ...(description !== undefined && { description }),
    ...(parameters && { parameters }),
    ...(requestBody && { requestBody }),
    responses: answersOf(described),
    security: scopes === null ? [] : [{ bearer: scopes }],
  }
}

function answersOf({ scopes, answers }: Operation): JsonObject {
  if (scopes === null) return { ...commonAnswers.any, ...answers }
  const charged = Object.entries(answers).map(([status, answer]): [string, JsonObject] => [
    status,
    status.startsWith('2') ? withHeaders(answer, 'ratelimit', 'ratelimit-policy') : answer,
  ])
  return { ...commonAnswers.any, ...commonAnswers.withToken, ...Object.fromEntries(charged) }
}

/** `GET /v1/event-types/:type` → `getV1EventTypesType`. */
function operationIdOf(method: string, url: string): string {
  const words = url.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return [method.toLowerCase(), ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('')
}

/** The data of each event type as readers see it, for whoever generates a client. */
function dataSchemas(catalog: readonly CatalogEntry[]): JsonObject {
  return Object.fromEntries(catalog.flatMap((entry) => components(`data.${entry.type}`, eventData(entry))))
}
