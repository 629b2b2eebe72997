import { examples } from '../examples.ts'
import { answer, json, type Operations, orElse, parameter, problem, withHeaders } from '../operation.ts'
import { shape } from '../shapes.ts'

const text = { type: 'string' }
const event = examples['CloudEvent'] ?? {}
const batchToo = json('BatchAnswer')
const bytes = { schema: { type: 'string', format: 'binary' } }

const attributes = [
  parameter('header', 'ce-specversion', { const: '1.0' }, 'Binary mode: the version of CloudEvents, always 1.0.'),
  parameter('header', 'ce-type', text, 'Binary mode: the event type.', { example: 'order.placed' }),
  parameter('header', 'ce-source', text, 'Binary mode: what the event comes from.', { example: '/shop/checkout' }),
  parameter('header', 'ce-id', text, 'Binary mode: the id, one of its own within the source; made here where missing.'),
  parameter('header', 'ce-time', { type: 'string', format: 'date-time' }, 'Binary mode: when it happened.'),
]

export const publishOperations: Operations = {
  'POST /v1/events': {
    summary: 'Publish one event or many',
    description:
      'Structured mode, binary mode (the data as body, the attributes as `ce-` headers), a batch, or one event a line. An event is acknowledged when it is on all in-sync replicas. A retry with the same source, id and content is answered with the first partition and offset. `avro/binary` and `application/x-protobuf` are other names of the same media types; Avro and Protobuf may be bare or in the frame of the Schema Registry.',
    tag: 'Publish',
    scopes: ['events:write:<pattern>'],
    parameters: [
      parameter(
        'header',
        'content-encoding',
        { enum: ['gzip', 'br', 'zstd'] },
        'How the body is compressed, if it is.',
      ),
      ...attributes,
      parameter('header', 'traceparent', text, 'The trace to continue (W3C); written to the record.'),
    ],
    requestBody: {
      required: true,
      content: {
        'application/cloudevents+json': { schema: shape('CloudEvent'), example: event },
        'application/cloudevents-batch+json': {
          schema: { type: 'array', minItems: 1, items: shape('CloudEvent') },
          example: [event],
        },
        'application/x-ndjson': {
          schema: { type: 'string', description: 'One event in structured mode a line.' },
          example: `${JSON.stringify(event)}\n`,
        },
        'application/json': {
          schema: { description: 'The data; the attributes are `ce-` headers.' },
          example: { customer: 'ada', amount: 12.5 },
        },
        'application/avro': bytes,
        'application/protobuf': bytes,
      },
    },
    answers: {
      200: answer('A recognised retry, or a batch all of which is accepted.', {
        'application/json': {
          schema: { anyOf: [shape('Receipt'), shape('BatchAnswer')] },
          example: examples['Receipt'] ?? null,
        },
      }),
      201: answer('Stored.', json('Receipt')),
      207: answer('A batch with more than one kind of outcome.', batchToo),
      404: problem(404, 'There is no such event type.', 'there is no event type "order.lost"'),
      409: problem(
        409,
        'The same source and id were stored with other content.',
        '/shop/checkout has sent another event with the id "order-1001"',
      ),
      415: problem(
        415,
        'The media type, or the content encoding, is none that is taken here.',
        'send the body as it is, or in one of gzip, br, zstd',
      ),
      422: orElse(
        problem(
          422,
          'The data does not fit the schema: pointers are relative to it. Or the whole batch is rejected.',
          'the data does not fit the schema of order.placed',
          { errors: [{ pointer: '/amount', detail: 'must be number, not string' }] },
        ),
        batchToo,
      ),
      503: withHeaders(
        orElse(
          problem(
            503,
            'Not confirmed: it may or may not be stored. Send it again with the same source and id.',
            'not confirmed (there was no time for it): send it again with the same source and id',
            { id: 'order-1001' },
          ),
          batchToo,
        ),
        'retry-after',
      ),
    },
  },
}
