import type { EventType } from '@millrace/core/event-type'

/** What a pipeline's SQL depends on beside the pipeline. It holds no secret: the JVM gives Kafka's clients their password (JAAS). */
export type FlinkEnvironment = {
  /** `host:port`, separated by commas. */
  readonly bootstrapServers: string
  /** PEM file of the authorities that sign the brokers' certificates, as the Flink JVM sees it. */
  readonly truststoreFile: string
  /** Absolute folder; each pipeline keeps its checkpoints in a folder of its own name below it. */
  readonly checkpointDirectory: string
  /** The registry's URL of an event type's schema, which goes with each result as `ce_dataschema`. */
  readonly schemaUrl: (type: EventType) => string
}
