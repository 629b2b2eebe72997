/** The consumer group under which a pipeline commits its offsets, at each checkpoint: what its lag is watched by. */
export function consumerGroup(pipeline: string): string {
  return `flink-${pipeline}`
}

/**
 * The beginning of a pipeline's transactional ids. No pipeline's name holds a colon, so no pipeline's ids begin like another's:
 * a job aborts what begins like its own.
 */
export function transactionalIdPrefix(pipeline: string): string {
  return `millrace-${pipeline}:`
}
