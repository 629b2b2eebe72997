import { answer, json, type Operations, parameter, problem } from '../operation.ts'

const text = { type: 'string' }
const scopes = ['events:read:<pattern>', 'dlq:read:<pattern>']
const topic = parameter('query', 'topic', text, 'The topic.', { required: true, example: 'order.placed' })
const limit = parameter(
  'query',
  'limit',
  { type: 'integer', minimum: 1, maximum: 1000, default: 50 },
  'How many events at most.',
)
const unknownTopic = problem(404, 'There is no such topic.', 'there is no topic "order.lost"')
const gone = problem(
  410,
  'The cursor is behind what is retained. `earliest` is the cursor from which reading can go on.',
  'up to 12 events from there on are gone: retention took them. Go on from "earliest", a cursor',
  { earliest: 'AQOBCAeSCO0mbx4' },
)

const resultGone = problem(
  410,
  'The result, or some of the events behind it, are not retained any more.',
  'events from offset 12 on are gone from partition 0 of order.placed, up to 40: retention took them. Explain a newer result, or keep the events longer (retentionMs)',
)
const placed = { type: 'integer', minimum: 0 }

export const readOperations: Operations = {
  'GET /v1/events/latest': {
    summary: 'The newest events of a topic, newest first, over all partitions',
    description:
      'Whatever the format of the events, their data is shown as JSON. The cursor is behind the newest event: a page or a stream from there has what comes after.',
    tag: 'Read',
    scopes,
    parameters: [
      parameter('query', 'topic', text, 'The topic; or name an event type.', { example: 'order.placed' }),
      parameter('query', 'type', text, 'The event type whose topic is meant.'),
      limit,
    ],
    answers: {
      200: answer('The events, and the cursor behind the newest.', json('LatestEvents')),
      404: unknownTopic,
    },
  },
  'GET /v1/events': {
    summary: 'The events of a topic from a place on, oldest first',
    description:
      'Ask again with `from` set to `next` of the answer until a page is empty: then nothing more is there for now.',
    tag: 'Read',
    scopes,
    parameters: [
      topic,
      parameter('query', 'from', { ...text, default: 'earliest' }, 'A cursor, `earliest`, or an RFC 3339 time.'),
      limit,
    ],
    answers: { 200: answer('A page.', json('EventPage')), 404: unknownTopic, 410: gone },
  },
  'GET /v1/events/stream': {
    summary: 'Live events of a topic',
    description:
      'A WebSocket with one text frame an event, or server-sent events where these are accepted (`accept: text/event-stream`). What a slow reader misses it is told in a gap frame. The stream ends when the token does: go on from the last cursor.',
    tag: 'Read',
    scopes,
    parameters: [
      topic,
      parameter(
        'query',
        'from',
        { ...text, default: 'latest' },
        'A cursor, `latest`, `earliest`, or an RFC 3339 time.',
      ),
      parameter(
        'query',
        'where',
        { type: 'array', items: text, maxItems: 16 },
        'Only events whose data has this value: a JSON Pointer, a colon and a scalar; give it again for more conditions.',
        { example: ['/customer:ada'] },
      ),
      parameter(
        'query',
        'attributes',
        { type: 'object', additionalProperties: text },
        'Only events whose attributes have these values: any other parameter is the name of an attribute, as in `source=/shop/checkout`.',
        { style: 'form', explode: true },
      ),
      parameter('header', 'last-event-id', text, 'Server-sent events: the last cursor; it wins over `from`.'),
    ],
    answers: {
      101: { description: 'A WebSocket: each text frame is an EventFrame.' },
      200: answer('Server-sent events: each `data` is an EventFrame, each `id` a cursor.', {
        'text/event-stream': { schema: { type: 'string' } },
      }),
      404: unknownTopic,
    },
  },
  'GET /v1/results/:topic/:partition/:offset/explain': {
    summary: 'The events that made a result of a pipeline',
    description:
      "Found again where the result says that they are, by the pipeline's definition as it is now, and sent while they are found, by partition and offset. `complete` stands at the end: whether these are all that the result was computed over, and no other. The token must allow the pipeline's source beside its results.",
    tag: 'Read',
    scopes: ['events:read:<pattern>'],
    parameters: [
      parameter('path', 'topic', text, 'The topic of the results.', { example: 'spend-per-customer' }),
      parameter('path', 'partition', placed, 'Where the result is, as `GET /v1/events` shows it.'),
      parameter('path', 'offset', placed, 'Its offset there.'),
    ],
    answers: {
      200: answer('The result, what it says of itself, and the events.', json('Explanation')),
      404: problem(
        404,
        'There is no such topic or no result at this place, or no pipeline is known that publishes to the topic.',
        'nothing is at offset 7 yet: wait for it, or look at GET /v1/events',
      ),
      410: resultGone,
    },
  },
}
