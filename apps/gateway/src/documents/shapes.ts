/** The shapes of the contract as JSON Schemas (2020-12), under the names by which the documents refer to them. */
import { deadLetterReasons } from '@millrace/core/dead-letter'
import type { JsonObject } from '@millrace/core/json'
import { provenance } from './provenance.ts'

/** A reference to a shape, within a document that has them all as components. */
export function shape(name: keyof typeof shapes): JsonObject {
  return { $ref: `#/components/schemas/${name}` }
}

const text = { type: 'string' }
const count = { type: 'integer', minimum: 0 }
const time = { type: 'string', format: 'date-time' }
const pointer = { type: 'string', pattern: '^(/[\\s\\S]*)?$', description: 'A JSON Pointer (RFC 6901).' }
const pointerOrNull = { anyOf: [pointer, { type: 'null' }] }
const ref = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` })

/** An object that has exactly these members. */
function exactly(properties: JsonObject, ...optional: readonly string[]): JsonObject {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, required, additionalProperties: false }
}

const place = { topic: text, partition: count, offset: count }
const format = { enum: ['json', 'avro', 'protobuf'] }
const compatibility = { enum: ['BACKWARD', 'FORWARD', 'FULL', 'NONE'] }
const schema = {
  anyOf: [{ type: 'string' }, { type: 'object' }],
  description: 'Text in Protobuf; JSON, or its text, in JSON Schema and Avro.',
}
const reasonsText = Object.entries(deadLetterReasons)
  .map(([reason, meaning]) => `\`${reason}\`: ${meaning}`)
  .join(' ')
const upOrDown = { enum: ['up', 'down'] }
const reference = { name: text, subject: text, version: { type: 'integer', minimum: 1 } }

const ledgerCounts = {
  reader: {
    ...text,
    description:
      'Who reads the topic: `worker/<handler>`, `flink/<pipeline>`, `connect/<sink>`; and `gateway`, for what it could not store.',
  },
  processed: { ...count, description: 'Events that a handler or a window has taken.' },
  filtered: { ...count, description: 'Events that were none for the reader.' },
  late: { ...count, description: 'Events that came after all of their windows had closed.' },
  deadLettered: count,
  loaded: { type: 'integer', description: 'Events that a sink has brought into the warehouse.' },
  notAddressed: { ...count, description: 'Replays that were for another reader.' },
}

export const shapes = {
  CloudEvent: {
    description:
      'An event in CloudEvents 1.0 structured mode. `id` and `time` are filled in where missing; further members are extension attributes.',
    type: 'object',
    required: ['specversion', 'source', 'type'],
    oneOf: [{ required: ['data'] }, { required: ['data_base64'] }],
    properties: {
      specversion: { const: '1.0' },
      id: { type: 'string', minLength: 1, maxLength: 1024 },
      source: { type: 'string', minLength: 1, maxLength: 1024 },
      type: { type: 'string', minLength: 1, maxLength: 1024, description: 'The name of an event type of the catalog.' },
      time,
      subject: { type: 'string', minLength: 1, maxLength: 1024 },
      data: { description: "The payload as JSON, in the JSON encoding of the type's format." },
      data_base64: {
        type: 'string',
        contentEncoding: 'base64',
        description: "The payload in the type's own format, bare or in the registry's frame.",
      },
    },
  },
  Receipt: exactly({
    id: text,
    source: text,
    type: text,
    status: { enum: ['accepted', 'duplicate'] },
    ...place,
    timestamp: { ...time, description: 'When the gateway received it: the timestamp of the record.' },
    schemaId: count,
  }),
  BatchAnswer: exactly({
    accepted: { ...count, description: 'Events stored on all in-sync replicas, duplicates among them.' },
    rejected: count,
    unconfirmed: count,
    results: { type: 'array', items: ref('BatchResult'), description: 'In the order of the request.' },
  }),
  BatchResult: exactly(
    {
      index: count,
      id: { type: ['string', 'null'] },
      status: { enum: ['accepted', 'duplicate', 'rejected', 'unconfirmed'] },
      ...place,
      problem: ref('Problem'),
    },
    ...['topic', 'partition', 'offset', 'problem'],
  ),
  Problem: {
    description: 'What went wrong (RFC 9457).',
    type: 'object',
    required: ['type', 'title', 'status', 'detail'],
    properties: {
      type: text,
      title: text,
      status: { type: 'integer', minimum: 400, maximum: 599 },
      detail: { ...text, description: 'A sentence that says what to do.' },
      errors: {
        type: 'array',
        items: exactly({ pointer, detail: text }),
        description: 'Each violation, by where it is.',
      },
      id: { ...text, description: 'The id of the event that is not confirmed.' },
      deadLetter: {
        ...exactly(place),
        description: 'Where the event is kept that passed validation and that the cluster did not take.',
      },
      earliest: { ...text, description: 'The cursor from which reading can go on.' },
    },
  },
  EventItem: exactly({
    event: { type: 'object', description: 'The event in structured mode, its data as JSON whatever its format.' },
    partition: count,
    offset: count,
    timestamp: time,
  }),
  LatestEvents: exactly({ topic: text, events: { type: 'array', items: ref('EventItem') }, cursor: text }),
  EventPage: exactly({
    topic: text,
    events: { type: 'array', items: ref('EventItem') },
    cursor: { ...text, description: 'The same as `next`.' },
    next: { ...text, description: 'Where the next page begins.' },
  }),
  Explanation: exactly(
    {
      ...place,
      pipeline: { ...text, description: 'Its name.' },
      result: ref('EventItem'),
      window: { ...exactly({ start: time, end: time }), description: 'From `start` until before `end`.' },
      revision: { ...provenance.revision, type: 'integer', minimum: 1 },
      counted: { ...count, ...provenance.counted },
      late: { ...count, ...provenance.late },
      filtered: { ...count, ...provenance.filtered },
      sources: {
        type: 'array',
        items: exactly({ topic: text, partition: count, first: count, last: count }),
        description:
          'The first and the last offset of the events, by partition: what else lies between is no part of it.',
      },
      events: { type: 'array', items: ref('EventItem'), description: 'By partition and offset.' },
      found: { ...count, description: 'How many events there are here.' },
      complete: {
        type: 'boolean',
        description:
          'As many are found as were counted, and all that they may be among was read. Not where retention took some meanwhile, Kafka could not be read to the end, or an event that came late lies within a session.',
      },
    },
    'filtered',
  ),
  EventFrame: {
    description:
      'A frame of a live stream: an event with the cursor behind it; a gap that a slow reader has missed; or a cursor alone, where nothing matched the filter for a while.',
    anyOf: [
      exactly({ event: { type: 'object' }, partition: count, offset: count, timestamp: time, cursor: text }),
      exactly({ gap: exactly({ count, from: text, to: text }) }),
      exactly({ cursor: text }),
    ],
  },
  DeadLetterReason: { enum: Object.keys(deadLetterReasons), description: reasonsText },
  DeadLetter: exactly(
    {
      id: { type: ['string', 'null'], description: 'That of the event, as source and type are.' },
      source: { type: ['string', 'null'] },
      type: { type: ['string', 'null'] },
      reason: ref('DeadLetterReason'),
      detail: { ...text, description: 'A sentence.' },
      pointer,
      by: { ...text, description: 'Who gave it up: `gateway`, `worker/<name>`, `flink/<pipeline>`, `connect/<sink>`.' },
      attempts: count,
      failedAt: time,
      firstFailedAt: time,
      origin: {
        ...exactly({ ...place, timestamp: time }, 'partition', 'offset', 'timestamp'),
        description: 'Where the event was; without partition and offset it was never stored.',
      },
      partition: { ...count, description: 'Of the dead letter itself, as offset is.' },
      offset: count,
      replays: { ...count, description: 'How often it was replayed before it failed here.' },
      sealed: { type: 'boolean', description: 'Its value is encrypted; a replay opens it.' },
      data: { description: 'The data as JSON, where it can be decoded and nothing of its type is sensitive.' },
      data_base64: { type: ['string', 'null'], description: 'Else its bytes, where nothing is sensitive.' },
    },
    ...['pointer', 'data', 'data_base64'],
  ),
  DeadLetterPage: exactly({
    topic: { ...text, description: 'The topic of the events.' },
    deadLetters: { type: 'array', items: ref('DeadLetter') },
    next: { ...text, description: 'Where the next page begins.' },
    atEnd: { type: 'boolean', description: 'There is no more for now.' },
  }),
  Replay: exactly(
    {
      topic: { ...text, description: 'The topic of the events.' },
      ids: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        minItems: 1,
        maxItems: 1_000,
        description: 'Those of events with these ids. There must be ids, or a filter.',
      },
      filter: exactly(
        { reason: ref('DeadLetterReason'), by: text, source: text, from: time, to: time },
        ...['reason', 'by', 'source', 'from', 'to'],
      ),
      dryRun: { type: 'boolean', default: false },
      cap: {
        type: 'integer',
        minimum: 1,
        maximum: 10_000,
        default: 1_000,
        description: 'How many are replayed at most.',
      },
      canary: {
        type: 'integer',
        minimum: 0,
        maximum: 100,
        default: 0,
        description:
          'So many are replayed first, one after the other: when one of them does not pass, or fails again within 5 s after the last of them, nothing more is.',
      },
      from: { ...text, description: '`next` of an answer, an RFC 3339 time, or `earliest`.' },
    },
    ...['ids', 'filter', 'dryRun', 'cap', 'canary', 'from'],
  ),
  ReplayAnswer: exactly(
    {
      topic: text,
      dryRun: { type: 'boolean' },
      replayed: { ...count, description: 'Stored in their topic.' },
      wouldReplay: { ...count, description: 'They would be: this is a dry run.' },
      invalid: { ...count, description: "They do not fit today's schema, or have no type any more." },
      looped: { ...count, description: 'They were replayed as often as may be.' },
      already: { ...count, description: 'They were replayed before, or are being replayed by another request.' },
      unopened: { ...count, description: 'Sealed, and not to be opened: another key, or changed.' },
      failed: { ...count, description: 'The cluster refused them.' },
      unconfirmed: { ...count, description: 'Stored or not: they may be replayed again in a minute.' },
      failedAgain: { ...count, description: 'Canaries that came back as dead letters.' },
      notFound: { ...count, description: 'Ids that no dead letter had from `from` to `next`.' },
      next: { ...text, description: 'Where the next request goes on; absent when all was seen.' },
      stopped: { const: 'canary', description: 'A canary did not pass, or failed again.' },
      failures: {
        type: 'array',
        maxItems: 20,
        items: exactly({
          partition: count,
          offset: count,
          id: { type: ['string', 'null'] },
          outcome: text,
          detail: text,
        }),
        description: 'Why, of the first of those that were not replayed.',
      },
    },
    ...['next', 'stopped'],
  ),
  EventType: {
    ...exactly({
      type: text,
      format,
      schema,
      schemaId: count,
      version: count,
      topic: text,
      partitions: { type: 'integer', minimum: 1 },
      key: pointerOrNull,
      time: pointerOrNull,
      compatibility,
      retentionMs: { type: 'integer', minimum: 1, description: 'How long events are kept.' },
      compacted: {
        type: 'boolean',
        description: 'Whether the newest event of each key is kept for good, instead of all for a time.',
      },
      references: { type: 'array', items: exactly(reference) },
      sensitive: { type: 'array', items: pointer, description: 'What is not shown of events that failed.' },
    }),
    additionalProperties: true,
  },
  EventTypes: exactly({ eventTypes: { type: 'array', items: ref('EventType') } }),
  EventTypeDefinition: exactly(
    {
      format,
      schema,
      references: {
        type: 'array',
        items: exactly(reference),
        maxItems: 100,
        description: 'What the schema refers to in other subjects of the registry.',
      },
      key: { ...pointerOrNull, description: 'Where the record key is read from: equal keys keep their order.' },
      time: { ...pointerOrNull, description: 'Where the event time is read from, in the place of the attribute.' },
      topic: { ...text, description: 'Named as the type unless said.' },
      partitions: { type: 'integer', minimum: 1 },
      repartition: { type: 'boolean', description: 'Allow more partitions than there are: keys may move.' },
      retentionMs: { type: 'integer', minimum: 60_000, maximum: 315_360_000_000 },
      compatibility,
      sensitive: { type: 'array', items: pointer, maxItems: 100 },
    },
    ...['references', 'key', 'time', 'topic', 'partitions', 'repartition', 'retentionMs', 'compatibility', 'sensitive'],
  ),
  Ledger: exactly({
    types: {
      type: 'array',
      items: exactly({
        ...{ type: text, topic: text },
        at: { ...time, description: 'When this was last found otherwise than before.' },
        accepted: { ...count, description: 'Events stored, since the accounting began.' },
        readers: {
          type: 'array',
          items: exactly({
            ...ledgerCounts,
            inFlight: {
              type: ['integer', 'null'],
              description: 'Events stored that the reader is not done with; null while it is very far behind.',
            },
            unaccounted: {
              type: ['integer', 'null'],
              description:
                'Events that the reader has passed and told nothing of, at each of the last five looks, ten seconds: 0, or something is wrong. Below 0 it told of some twice. Null where it cannot be known: of a sink, of the gateway, and of a reader that is very far behind.',
            },
            writtenOff: {
              type: 'integer',
              description: 'Events that were unaccounted for longer than an hour, and are not waited for any more.',
            },
          }),
        },
      }),
    },
    minutes: {
      type: 'array',
      description: 'The newest first.',
      items: exactly({
        ...{ type: text, topic: text },
        minute: { ...time, description: 'Of the event time.' },
        accepted: { ...count, description: 'Events stored.' },
        readers: { type: 'array', items: exactly(ledgerCounts) },
      }),
    },
  }),
  Status: exactly({ status: upOrDown }),
  Health: exactly({
    status: upOrDown,
    checkedAt: time,
    dependencies: {
      type: 'array',
      items: exactly({ name: text, state: upOrDown, latencyMs: { type: 'number' }, detail: text }, 'detail'),
    },
  }),
} as const satisfies Readonly<Record<string, JsonObject>>
