/**
 * The catalogue of signals: every metric that our own processes export, declared once. Code counts by these entries,
 * and dashboards and alerts are generated from them. Base units, as Prometheus asks; labels have bounded values.
 */
export type Signal = {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly meaning: string
  readonly buckets?: readonly number[]
}

const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

export const signals = {
  httpRequestDuration: {
    name: 'http_server_request_duration_seconds',
    kind: 'histogram',
    labels: ['method', 'route', 'status'],
    meaning: 'Time from the arrival of a request to the end of its answer, by route pattern and status code.',
    buckets: latencyBuckets,
  },
  connectionsRefused: {
    name: 'millrace_connections_refused_total',
    kind: 'counter',
    labels: ['reason'],
    meaning:
      'Connections closed before a route had a request of them: too many, malformed, too slow, headers too large.',
  },
  bodyBytes: {
    name: 'millrace_request_bodies_bytes',
    kind: 'gauge',
    labels: [],
    meaning: 'What the bodies of requests under way take; bounded by the setting bodiesBytesMax.',
  },
  eventLoopDelay: {
    name: 'millrace_event_loop_delay_seconds',
    kind: 'histogram',
    labels: [],
    meaning: 'The longest time of each second for which the event loop did nothing else.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 10],
  },
  eventsAccepted: {
    name: 'millrace_events_accepted_total',
    kind: 'counter',
    labels: ['type'],
    meaning: 'Events acknowledged: stored on all in-sync replicas.',
  },
  eventsDuplicate: {
    name: 'millrace_events_duplicate_total',
    kind: 'counter',
    labels: ['type'],
    meaning: 'Events that had been stored before, answered with where the first is; not counted as accepted again.',
  },
  identities: {
    name: 'millrace_identities',
    kind: 'gauge',
    labels: [],
    meaning: 'Events that a retry is recognised of; bounded by the setting identitiesMax.',
  },
  eventsRejected: {
    name: 'millrace_events_rejected_total',
    kind: 'counter',
    labels: ['reason'],
    meaning: 'Events refused for what they are; they are stored nowhere.',
  },
  eventsUnconfirmed: {
    name: 'millrace_events_unconfirmed_total',
    kind: 'counter',
    labels: ['type'],
    meaning:
      'Events that Kafka did not confirm within the deadline: stored or not, the producer was told to send again.',
  },
  eventsDeadLettered: {
    name: 'millrace_events_dead_lettered_total',
    kind: 'counter',
    labels: ['type', 'reason'],
    meaning:
      'Events that passed validation and that the cluster would not store: kept in the dead letter topic of their type.',
  },
  deadLettersReplayed: {
    name: 'millrace_dead_letters_replayed_total',
    kind: 'counter',
    labels: ['topic', 'outcome'],
    meaning: 'Dead letters that a replay looked at, by what became of each; dry runs are not counted.',
  },
  produceDuration: {
    name: 'millrace_produce_duration_seconds',
    kind: 'histogram',
    labels: [],
    meaning: 'Time from handing an event to the producer until all in-sync replicas have it.',
    buckets: latencyBuckets,
  },
  produceQueue: {
    name: 'millrace_produce_queue_events',
    kind: 'gauge',
    labels: [],
    meaning: 'Events handed to the producer and not yet confirmed; bounded by its setting queueEventsMax.',
  },
  streamSubscribers: {
    name: 'millrace_stream_subscribers',
    kind: 'gauge',
    labels: [],
    meaning: 'Open live streams.',
  },
  streamBuffers: {
    name: 'millrace_stream_buffers_bytes',
    kind: 'gauge',
    labels: [],
    meaning: 'What waits for the readers of live streams; bounded by the setting streamBuffersBytesMax.',
  },
  streamGapEvents: {
    name: 'millrace_stream_gap_events_total',
    kind: 'counter',
    labels: [],
    meaning: 'Events that slow live streams were told they missed.',
  },
  handlerEvents: {
    name: 'millrace_handler_events_total',
    kind: 'counter',
    labels: ['handler', 'outcome'],
    meaning:
      'Events that a handler is done with, by what became of them: ok, drop, dead-letter, or not-addressed (a replay for somebody else). Committed.',
  },
  handlerRetries: {
    name: 'millrace_handler_retries_total',
    kind: 'counter',
    labels: ['handler'],
    meaning: 'Attempts of a handler after which its event was to be tried again.',
  },
  handlerDuration: {
    name: 'millrace_handler_duration_seconds',
    kind: 'histogram',
    labels: ['handler'],
    meaning: 'Time that one attempt of a handler at one event took.',
    buckets: latencyBuckets,
  },
  handlerCommitDuration: {
    name: 'millrace_handler_commit_duration_seconds',
    kind: 'histogram',
    labels: ['handler'],
    meaning: 'Time of a transaction of a handler, from its first request to the answer to its commit.',
    buckets: latencyBuckets,
  },
  handlerQueue: {
    name: 'millrace_handler_queue_events',
    kind: 'gauge',
    labels: ['handler'],
    meaning: 'Events that a worker has read for a handler and not yet committed; bounded by partition.',
  },
  handlerLosses: {
    name: 'millrace_handler_losses_total',
    kind: 'counter',
    labels: ['handler'],
    meaning:
      'How often the group took a worker for dead, or its topic was made anew: what it had under way counts no more, and is handled again.',
  },
  consumerLag: {
    name: 'kafka_consumergroup_lag',
    kind: 'gauge',
    labels: ['consumergroup', 'topic', 'partition'],
    meaning: 'Messages between the committed offset of a group and the end of the partition.',
  },
  consumerOffset: {
    name: 'kafka_consumergroup_current_offset',
    kind: 'gauge',
    labels: ['consumergroup', 'topic', 'partition'],
    meaning: 'The committed offset of a group.',
  },
  consumerLagSeconds: {
    name: 'kafka_consumergroup_lag_seconds',
    kind: 'gauge',
    labels: ['consumergroup', 'topic', 'partition'],
    meaning: 'Age of the oldest message that a group has not yet committed; 0 when it has committed all.',
  },
  partitionEndOffset: {
    name: 'kafka_topic_partition_current_offset',
    kind: 'gauge',
    labels: ['topic', 'partition'],
    meaning: 'The offset after the last message of a partition.',
  },
  ledgerAccepted: {
    name: 'millrace_ledger_accepted_events',
    kind: 'gauge',
    labels: ['type'],
    meaning: 'Events stored, by the accounting, since it began.',
  },
  ledgerEvents: {
    name: 'millrace_ledger_events',
    kind: 'gauge',
    labels: ['type', 'reader', 'outcome'],
    meaning: 'Events that a reader is done with, by the accounting, since it began, by what became of them.',
  },
  ledgerInFlight: {
    name: 'millrace_ledger_in_flight_events',
    kind: 'gauge',
    labels: ['type', 'reader'],
    meaning: 'Events stored that a reader is not done with.',
  },
  ledgerUnaccounted: {
    name: 'millrace_ledger_unaccounted_events',
    kind: 'gauge',
    labels: ['type', 'reader'],
    meaning:
      'Events that a reader has passed and told nothing of, at each of the last five looks, ten seconds; below 0, events that it told of twice. Not 0: something is lost, or counted wrongly.',
  },
  ledgerAge: {
    name: 'millrace_ledger_age_seconds',
    kind: 'gauge',
    labels: [],
    meaning: 'Time since the accounting was last written down; far above two seconds, it stands still.',
  },
  brokers: {
    name: 'kafka_brokers',
    kind: 'gauge',
    labels: [],
    meaning: 'Brokers that are part of the cluster.',
  },
} as const satisfies Record<string, Signal>
