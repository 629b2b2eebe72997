import { answer, json, type Operations, orElse, parameter, problem, textual, withHeaders } from '../operation.ts'

const status = json('Status')
const text = { type: 'string' }
const time = { type: 'string', format: 'date-time' }

export const serviceOperations: Operations = {
  'GET /health/live': {
    summary: 'Whether the process is up',
    description: 'For whoever restarts it: it asks no dependency.',
    tag: 'Operation',
    scopes: null,
    answers: { 200: answer('It is.', status) },
  },
  'GET /health/ready': {
    summary: 'Whether requests can be served',
    description: 'For whoever sends it requests: not while it starts or stops, nor while Kafka is away.',
    tag: 'Operation',
    scopes: null,
    answers: {
      200: answer('It can serve.', status),
      503: withHeaders(answer('It cannot serve.', json('Status', { status: 'down' })), 'retry-after'),
    },
  },
  'GET /health': {
    summary: 'Each dependency with its state and latency',
    description: 'One report answers everybody who asks within a second.',
    tag: 'Operation',
    scopes: ['ops:read'],
    answers: {
      200: answer('All are up.', json('Health')),
      503: withHeaders(
        orElse(problem(503, 'A dependency is down.', 'this instance is stopping: send it again'), json('Health')),
        'retry-after',
      ),
    },
  },
  'GET /v1/ledger': {
    summary: 'What is stored of each event type, and what became of it',
    description:
      'By reader, in total and by the minute of event time. `accepted` is what the other counts of each reader and `inFlight` add up to; whatever is missing there is `unaccounted`. Written down every two seconds. The minutes are those that changed last, 20 000 of all types.',
    tag: 'Operation',
    scopes: ['ops:read'],
    parameters: [
      parameter('query', 'type', text, 'Only this event type.', { example: 'order.placed' }),
      parameter('query', 'topic', text, 'Only the event type of this topic.'),
      parameter('query', 'from', time, 'Only minutes from this time on.'),
      parameter('query', 'to', time, 'Only minutes before this time.'),
      parameter(
        'query',
        'limit',
        { type: 'integer', minimum: 1, maximum: 1000, default: 50 },
        'How many minutes at most.',
      ),
    ],
    answers: { 200: answer('The accounting.', json('Ledger')) },
  },
  'GET /metrics': {
    summary: 'Metrics for Prometheus',
    description: 'Of this instance alone.',
    tag: 'Operation',
    scopes: ['metrics:read'],
    answers: { 200: answer('Prometheus text.', textual('text/plain')) },
  },
  'GET /openapi.json': {
    summary: 'The routes',
    description: 'An OpenAPI 3.1 document, with the data of each event type of the catalog as a schema.',
    tag: 'Documents',
    scopes: [],
    answers: { 200: answer('OpenAPI 3.1.', { 'application/json': { schema: { type: 'object' } } }) },
  },
  'GET /asyncapi.json': {
    summary: 'The topics and live streams',
    description: 'An AsyncAPI 3 document of what the catalog has now.',
    tag: 'Documents',
    scopes: [],
    answers: { 200: answer('AsyncAPI 3.', { 'application/json': { schema: { type: 'object' } } }) },
  },
  'GET /docs': {
    summary: 'The page that shows the reference',
    description: 'It asks for a token and fetches the reference with it.',
    tag: 'Documents',
    scopes: null,
    answers: { 200: answer('A page.', textual('text/html')) },
  },
  'GET /docs/docs.css': {
    summary: 'The style of the page',
    tag: 'Documents',
    scopes: null,
    answers: { 200: answer('A style sheet.', textual('text/css')) },
  },
  'GET /docs/docs.js': {
    summary: 'The script of the page',
    tag: 'Documents',
    scopes: null,
    answers: { 200: answer('JavaScript.', textual('text/javascript')) },
  },
  'GET /docs/reference': {
    summary: 'The routes and the event types, for a person to read',
    description: 'Part of a page, made of the same document as `/openapi.json` and of the catalog.',
    tag: 'Documents',
    scopes: [],
    answers: { 200: answer('HTML.', textual('text/html')) },
  },
}
