import { answer, json, type Operations, parameter, problem } from '../operation.ts'
import { shapes } from '../shapes.ts'

const text = { type: 'string' }
const unknownTopic = problem(404, 'There is no such topic.', 'there is no topic "order.lost"')
const gone = problem(
  410,
  'The cursor is behind what is retained. `earliest` is the cursor from which reading can go on.',
  'up to 12 events from there on are gone: retention took them. Go on from "earliest", a cursor',
  { earliest: 'AQOBCAeSCO0mbx4' },
)

export const deadLetterOperations: Operations = {
  'GET /v1/dead-letters': {
    summary: 'Events that failed after they were accepted, oldest first',
    description:
      'With the reason, who gave them up, and where they came from. Ask again with `from` set to `next` until `atEnd`: with a filter a page may be empty before. Of a type with sensitive pointers no data is shown.',
    tag: 'Dead letters',
    scopes: ['dlq:read:<pattern>'],
    parameters: [
      parameter('query', 'topic', text, 'The topic of the events; or name an event type.', { example: 'order.placed' }),
      parameter('query', 'type', text, 'The event type whose topic is meant.'),
      parameter('query', 'reason', shapes.DeadLetterReason, 'Only those that are there for this reason.'),
      parameter('query', 'id', text, 'Only those of events with this id.'),
      parameter(
        'query',
        'from',
        { ...text, default: 'earliest' },
        'A cursor, `earliest`, or an RFC 3339 time: that of the failure.',
      ),
      parameter('query', 'limit', { type: 'integer', minimum: 1, maximum: 1000, default: 50 }, 'How many at most.'),
    ],
    answers: { 200: answer('A page.', json('DeadLetterPage')), 404: unknownTopic, 410: gone },
  },
  'POST /v1/dead-letters/replay': {
    summary: 'Put dead letters back into the topic that they came from',
    description:
      'Each is judged by the schema of today. What passes is stored with the same id, source, trace, key and bytes, once: what was replayed before is `already`. What was replayed three times and failed again each time is `looped`. A dry run stores nothing. Go on with `from` set to `next`.',
    tag: 'Dead letters',
    scopes: ['dlq:replay:<pattern>'],
    requestBody: { required: true, content: json('Replay') },
    answers: {
      200: answer('What became of them, by outcome.', json('ReplayAnswer')),
      404: unknownTopic,
      410: gone,
      415: problem(
        415,
        'The body is not JSON, or its content encoding is none that is taken here.',
        'send a replay as application/json',
      ),
    },
  },
}
