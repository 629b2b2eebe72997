/**
 * The one form of a dead letter, whoever wrote it: the record keeps its key, value and headers, byte for byte,
 * in `<topic>.dlq`, and these headers say why it is there and where it came from.
 */
export const deadLetterHeaders = {
  /** Which part of the platform gave up: `gateway`, `worker/<name>`, `flink/<pipeline>`, `connect/<sink>`. */
  by: 'millrace_dlq_by',
  /** A code for programs, as `malformed`. */
  reason: 'millrace_dlq_reason',
  /** One sentence for a person. */
  detail: 'millrace_dlq_detail',
  topic: 'millrace_origin_topic',
  partition: 'millrace_origin_partition',
  offset: 'millrace_origin_offset',
} as const
