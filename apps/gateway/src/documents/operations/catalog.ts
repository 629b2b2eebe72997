import { answer, json, type Operations, parameter, problem } from '../operation.ts'

const type = parameter('path', 'type', { type: 'string' }, 'The name of the event type.', { example: 'order.placed' })

export const catalogOperations: Operations = {
  'GET /v1/event-types': {
    summary: 'The catalog',
    description: 'Every event type that there is now, with its schema, its topic and how it may evolve.',
    tag: 'Catalog',
    scopes: ['catalog:read'],
    answers: { 200: answer('Every event type.', json('EventTypes')) },
  },
  'GET /v1/event-types/:type': {
    summary: 'An event type',
    description: 'What is answered may be sent back by PUT, without what the registry made of it.',
    tag: 'Catalog',
    scopes: ['catalog:read'],
    parameters: [type],
    answers: {
      200: answer('The event type.', json('EventType')),
      404: problem(404, 'There is no such event type.', 'there is no event type "order.lost"'),
    },
  },
  'PUT /v1/event-types/:type': {
    summary: 'Register an event type, or evolve it',
    description:
      'Registers the schema, creates the topic, and is live on every instance without a restart. What is left out stays as it is, or is the default of a new type; `null` takes `key` or `time` away. A type and its topic have a name of letters, digits, `_`, `-` and `.` that begins with a letter; those of two topics do not differ in `.` and `_` alone.',
    tag: 'Catalog',
    scopes: ['catalog:write'],
    parameters: [type],
    requestBody: { required: true, content: json('EventTypeDefinition') },
    answers: {
      200: answer('It is there, unchanged or evolved.', json('EventType')),
      201: answer('It was made.', json('EventType')),
      409: problem(
        409,
        'Incompatible with what is there: the rule, and where; or a topic of another type, or one that differs from another in `.` and `_` alone.',
        'the schema is not BACKWARD compatible with version 1 of order.placed',
        { errors: [{ pointer: '/schema/properties/amount', detail: 'the type changed (BACKWARD)' }] },
      ),
      415: problem(
        415,
        'The body is not JSON, or its content encoding is none that is taken here.',
        'send an event type as application/json',
      ),
      422: problem(422, 'Not a schema, or a name or a number that cannot be given.', 'this is not an event type', {
        errors: [{ pointer: '/partitions', detail: 'Too small: expected number to be >=1' }],
      }),
    },
  },
}
