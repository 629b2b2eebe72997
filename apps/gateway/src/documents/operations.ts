/** What each route does, for the documents: by method and path as the router has them. A test holds both lists equal. */
import type { JsonObject } from '@millrace/core/json'
import { shape } from './shapes.ts'

export type Operation = {
  readonly summary: string
  readonly description?: string
  /** The scopes of which a token needs one; `null` where no token is needed, empty where any valid token will do. */
  readonly scopes: readonly string[] | null
  readonly parameters?: readonly JsonObject[]
  readonly requestBody?: JsonObject
  /** The answers by status, but for those that every route has: `commonAnswers`. */
  readonly answers: Readonly<Record<string, JsonObject>>
}

const json = (schema: JsonObject): JsonObject => ({ 'application/json': { schema } })
const answer = (description: string, content: JsonObject): JsonObject => ({ description, content })
const retryAfter = { 'retry-after': { schema: { type: 'integer' }, description: 'Seconds.' } }

function problem(description: string, more: JsonObject = {}): JsonObject {
  return { description, content: { 'application/problem+json': { schema: shape('Problem') }, ...more } }
}

const batchToo = json(shape('BatchAnswer'))
const malformed = problem('The request is malformed.')
const unknownTopic = problem('There is no such topic.')
const unavailable = { ...problem('What this needs is away at the moment: try again.'), headers: retryAfter }

/** What any route may answer; with a token the last three too. */
export const commonAnswers: Readonly<Record<'any' | 'withToken', Readonly<Record<string, JsonObject>>>> = {
  any: {
    400: malformed,
    413: problem('The request is larger than it may be.'),
    431: problem('The headers are larger than they may be.'),
    503: unavailable,
  },
  withToken: {
    401: { ...problem('There is no valid token.'), headers: { 'www-authenticate': { schema: { type: 'string' } } } },
    403: problem('The token lacks the scope.'),
    429: { ...problem('Too many requests.'), headers: retryAfter },
  },
}

const query = (name: string, schema: JsonObject, description: string, required = false): JsonObject => {
  return { name, in: 'query', required, schema, description }
}
const limit = query('limit', { type: 'integer', minimum: 1, maximum: 1000, default: 50 }, 'How many events.')
const topic = query('topic', { type: 'string' }, 'The topic.', true)
const typeInPath = {
  name: 'type',
  in: 'path',
  required: true,
  schema: { type: 'string' },
  description: 'The name of the event type.',
}

const event = { schema: shape('CloudEvent') }
const bytes = { schema: { type: 'string', format: 'binary' } }

export const operations: Readonly<Record<string, Operation>> = {
  'POST /v1/events': {
    summary: 'Publish one event or many',
    description:
      'Structured mode, binary mode (the data as body, the attributes as `ce-` headers), a batch, or one event a line. An event is acknowledged when it is on all in-sync replicas. A retry with the same source, id and content is answered with the first partition and offset.',
    scopes: ['events:write:<pattern>'],
    requestBody: {
      required: true,
      content: {
        'application/cloudevents+json': event,
        'application/cloudevents-batch+json': { schema: { type: 'array', minItems: 1, items: shape('CloudEvent') } },
        'application/x-ndjson': { schema: { type: 'string', description: 'One event in structured mode a line.' } },
        'application/json': { schema: { description: 'The data; the attributes are `ce-` headers.' } },
        'application/avro': bytes,
        'application/protobuf': bytes,
      },
    },
    answers: {
      200: answer(
        'A recognised retry, or a batch all of which is accepted.',
        json({ anyOf: [shape('Receipt'), shape('BatchAnswer')] }),
      ),
      201: answer('Stored.', json(shape('Receipt'))),
      207: answer('A batch with more than one kind of outcome.', batchToo),
      404: problem('There is no such event type.'),
      409: problem('The same source and id were stored with other content.'),
      415: problem('The media type, or the content encoding, is none that is taken here.'),
      422: problem('The data does not fit the schema; or the whole batch is rejected.', batchToo),
      503: { ...problem('Not confirmed: send it again with the same source and id.', batchToo), headers: retryAfter },
    },
  },
  'GET /v1/events/latest': {
    summary: 'The newest events of a topic, newest first, over all partitions',
    scopes: ['events:read:<pattern>', 'dlq:read:<pattern>'],
    parameters: [
      query('topic', { type: 'string' }, 'The topic; or name an event type.'),
      query('type', { type: 'string' }, 'The event type whose topic is meant.'),
      limit,
    ],
    answers: {
      200: answer('The events, and the cursor behind the newest.', json(shape('LatestEvents'))),
      404: unknownTopic,
    },
  },
  'GET /v1/events': {
    summary: 'The events of a topic from a place on, oldest first',
    scopes: ['events:read:<pattern>', 'dlq:read:<pattern>'],
    parameters: [
      topic,
      query('from', { type: 'string', default: 'earliest' }, 'A cursor, `earliest`, or an RFC 3339 time.'),
      limit,
    ],
    answers: {
      200: answer('A page.', json(shape('EventPage'))),
      404: unknownTopic,
      410: problem('The cursor is behind what is retained.'),
    },
  },
  'GET /v1/events/stream': {
    summary: 'Live events of a topic',
    description:
      'A WebSocket with one text frame an event, or server-sent events where these are accepted. What a slow reader misses it is told in a gap frame. The stream ends when the token does.',
    scopes: ['events:read:<pattern>', 'dlq:read:<pattern>'],
    parameters: [
      topic,
      query('from', { type: 'string', default: 'latest' }, 'A cursor, `latest`, `earliest`, or an RFC 3339 time.'),
    ],
    answers: {
      101: { description: 'A WebSocket: each text frame is an EventFrame.' },
      200: answer('Server-sent events: each `data` is an EventFrame, each `id` a cursor.', {
        'text/event-stream': { schema: { type: 'string' } },
      }),
      404: unknownTopic,
      410: problem('The cursor is behind what is retained.'),
    },
  },
  'GET /v1/event-types': {
    summary: 'The catalog',
    scopes: ['catalog:read'],
    answers: { 200: answer('Every event type.', json(shape('EventTypes'))) },
  },
  'GET /v1/event-types/:type': {
    summary: 'An event type',
    scopes: ['catalog:read'],
    parameters: [typeInPath],
    answers: { 200: answer('The event type.', json(shape('EventType'))), 404: problem('There is no such event type.') },
  },
  'PUT /v1/event-types/:type': {
    summary: 'Register an event type, or evolve it',
    description: 'Registers the schema, creates the topic, and is live on every instance without a restart.',
    scopes: ['catalog:write'],
    parameters: [typeInPath],
    requestBody: { required: true, content: json(shape('EventTypeDefinition')) },
    answers: {
      200: answer('It is there, unchanged or evolved.', json(shape('EventType'))),
      201: answer('It was made.', json(shape('EventType'))),
      409: problem('Incompatible with what is there: the rule, and where.'),
      415: problem('The body is not JSON.'),
      422: problem('Not a schema, or a name or a number that cannot be given.'),
    },
  },
  'GET /health/live': {
    summary: 'Whether the process is up',
    scopes: null,
    answers: { 200: answer('It is.', json(shape('Status'))) },
  },
  'GET /health/ready': {
    summary: 'Whether requests can be served',
    scopes: null,
    answers: { 200: answer('They can.', json(shape('Status'))), 503: answer('They cannot.', json(shape('Status'))) },
  },
  'GET /health': {
    summary: 'Each dependency with its state and latency',
    scopes: ['ops:read'],
    answers: {
      200: answer('All are up.', json(shape('Status'))),
      503: {
        description: 'Some are down.',
        content: { ...json(shape('Status')), 'application/problem+json': { schema: shape('Problem') } },
      },
    },
  },
  'GET /metrics': {
    summary: 'Metrics for Prometheus',
    scopes: ['metrics:read'],
    answers: { 200: answer('Prometheus text.', { 'text/plain': { schema: { type: 'string' } } }) },
  },
  'GET /openapi.json': {
    summary: 'This document',
    scopes: [],
    answers: { 200: answer('OpenAPI 3.1.', json({ type: 'object' })) },
  },
  'GET /asyncapi.json': {
    summary: 'The topics and live streams',
    scopes: [],
    answers: { 200: answer('AsyncAPI 3.', json({ type: 'object' })) },
  },
  'GET /docs': {
    summary: 'These documents for a person to read',
    scopes: null,
    answers: { 200: answer('A page.', { 'text/html': { schema: { type: 'string' } } }) },
  },
  'GET /docs/docs.js': {
    summary: 'The script of the page',
    scopes: null,
    answers: { 200: answer('JavaScript.', { 'text/javascript': { schema: { type: 'string' } } }) },
  },
}
