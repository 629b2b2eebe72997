/** How a route is described, and what descriptions are made of. */
import { STATUS_CODES } from 'node:http'
import { isJsonObject, type JsonObject, type JsonValue } from '@millrace/core/json'
import { examples } from './examples.ts'
import { shape, type shapes } from './shapes.ts'

/** What a route is for: the documents list the routes by it. */
export type Tag = 'Publish' | 'Read' | 'Dead letters' | 'Catalog' | 'Operation' | 'Documents'

export type Operation = {
  readonly summary: string
  readonly description?: string
  readonly tag: Tag
  /** The scopes of which a token needs one; `null` where no token is needed, empty where any valid token will do. */
  readonly scopes: readonly string[] | null
  readonly parameters?: readonly JsonObject[]
  readonly requestBody?: JsonObject
  /** The answers by status, but for those that every route has: `commonAnswers`. */
  readonly answers: Readonly<Record<string, JsonObject>>
}

export type Operations = Readonly<Record<string, Operation>>

/** A body in JSON of one of the shapes, with the example that there is of it. */
export function json(name: keyof typeof shapes, example: JsonValue | undefined = examples[name]): JsonObject {
  return { 'application/json': { schema: shape(name), ...(example !== undefined && { example }) } }
}

export function answer(description: string, content: JsonObject): JsonObject {
  return { description, content }
}

/** A body that is a text of some media type. */
export function textual(mediaType: string): JsonObject {
  return { [mediaType]: { schema: { type: 'string' } } }
}

/** @param detail of the example */
export function problem(status: number, description: string, detail: string, more: JsonObject = {}): JsonObject {
  const example = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, ...more }
  return { description, content: { 'application/problem+json': { schema: shape('Problem'), example } } }
}

/** The same answer, which may be of another media type too. */
export function orElse(one: JsonObject, content: JsonObject): JsonObject {
  return { ...one, content: { ...asObject(one['content']), ...content } }
}

export function withHeaders(one: JsonObject, ...names: readonly (keyof typeof headers)[]): JsonObject {
  const references = names.map((name): [string, JsonObject] => [name, { $ref: `#/components/headers/${name}` }])
  return { ...one, headers: { ...asObject(one['headers']), ...Object.fromEntries(references) } }
}

function asObject(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}

export function parameter(
  place: 'query' | 'header' | 'path',
  name: string,
  schema: JsonObject,
  description: string,
  more: JsonObject = {},
): JsonObject {
  return { name, in: place, required: place === 'path', schema, description, ...more }
}

export const headers = {
  'retry-after': { description: 'How many seconds to wait before the next attempt.', schema: { type: 'integer' } },
  ratelimit: {
    description: 'How many requests are left (`r`), and in how many seconds all of them will be (`t`).',
    schema: { type: 'string' },
    example: '"default";r=39999;t=1',
  },
  'ratelimit-policy': {
    description: 'How many requests a subject may send (`q`) in how many seconds (`w`).',
    schema: { type: 'string' },
    example: '"default";q=40000;w=2',
  },
  'www-authenticate': { description: 'The scheme: `Bearer`.', schema: { type: 'string' } },
} as const satisfies JsonObject

/** What any route may answer; with a token the last three too. */
export const commonAnswers: Readonly<Record<'any' | 'withToken', Readonly<Record<string, JsonObject>>>> = {
  any: {
    400: problem(400, 'The request is malformed.', 'limit: Too big: expected number to be <=1000'),
    413: problem(413, 'The request is larger than it may be.', 'Request body is too large'),
    431: problem(431, 'The headers are larger than they may be.', 'the headers are too large'),
    500: problem(500, 'A fault of the gateway.', 'something went wrong here: the log has it'),
    503: withHeaders(
      problem(503, 'What this needs is away at the moment: try again.', 'this instance is stopping: send it again'),
      'retry-after',
    ),
  },
  withToken: {
    401: withHeaders(problem(401, 'There is no valid token.', 'a bearer token is needed'), 'www-authenticate'),
    403: problem(403, 'The token lacks the scope.', 'the token lacks the scope events:write:order.placed'),
    429: withHeaders(
      problem(429, 'Too many requests.', 'too many requests of this subject: send again in 2 s'),
      ...(['retry-after', 'ratelimit', 'ratelimit-policy'] as const),
    ),
  },
}
