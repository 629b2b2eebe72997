import type { SnowflakeSink } from '@millrace/core/sink'
import { deadLetterTopic } from '@millrace/core/topic-name'
import { tableOf } from './table.ts'

/** What a connector needs to know beside its sink: where the warehouse is, and as whom it signs in. */
export type ConnectorEnvironment = {
  /** `https://account.snowflakecomputing.com`; the account is the first label of the host, so never an alias. */
  readonly warehouseUrl: string
  readonly user: string
  readonly role: string
  /** How the worker finds the key without it showing in Connect's REST API: `${file:/path/snowflake.properties:key}`. */
  readonly privateKeyReference: string
  /** For the dead letter topic, should Connect have to make it. */
  readonly replicationFactor: number
}

export type Connector = { readonly name: string; readonly config: Readonly<Record<string, string>> }

/** How long a crashed worker keeps its partitions from the next. */
const consumerSessionTimeoutMs = 6_000

/**
 * The configuration of Snowflake's own connector (2.5.0, Snowpipe Streaming, exactly once by offset tokens) for a sink. SASL and TLS of
 * its consumer and of its dead letter producer are the worker's.
 * @see https://docs.snowflake.com/en/user-guide/snowpipe-streaming/snowpipe-streaming-classic-kafka
 */
export function connectorOf(sink: SnowflakeSink, environment: ConnectorEnvironment): Connector {
  return {
    name: sink.name,
    config: {
      'connector.class': 'com.snowflake.kafka.connector.SnowflakeSinkConnector',
      'tasks.max': '1',
      topics: sink.from.topic,
      ...warehouseSettings(sink, environment),
      ...ingestionSettings(sink),
      ...conversionSettings(sink),
      ...errorSettings(sink, environment),
      'consumer.override.isolation.level': 'read_committed',
      'consumer.override.auto.offset.reset': 'earliest',
      'consumer.override.session.timeout.ms': String(consumerSessionTimeoutMs),
      'consumer.override.heartbeat.interval.ms': String(consumerSessionTimeoutMs / 3),
    },
  }
}

function warehouseSettings(sink: SnowflakeSink, environment: ConnectorEnvironment): Record<string, string> {
  return {
    'snowflake.url.name': environment.warehouseUrl,
    'snowflake.user.name': environment.user,
    'snowflake.private.key': environment.privateKeyReference,
    'snowflake.role.name': environment.role,
    'snowflake.database.name': sink.database,
    'snowflake.schema.name': sink.schema,
    'snowflake.topic2table.map': `${sink.from.topic}:${sink.table}`,
  }
}

function ingestionSettings(sink: SnowflakeSink): Record<string, string> {
  return {
    'snowflake.ingestion.method': 'SNOWPIPE_STREAMING',
    'snowflake.streaming.enable.single.buffer': 'true',
    // Whole seconds, at least one: the connector takes nothing finer.
    'snowflake.streaming.max.client.lag': String(Math.max(1, Math.ceil(sink.flushMs / 1_000))),
    // Fields become columns. The table exists and may not evolve by itself, so an unknown field goes to the dead letters, not into DDL.
    'snowflake.enable.schematization': 'true',
    jmx: 'false',
  }
}

function conversionSettings(sink: SnowflakeSink): Record<string, string> {
  const renames = tableOf(sink).columns.flatMap(({ name, field }) => (field === undefined ? [] : [`${field}:${name}`]))
  return {
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
    // CloudEvents' headers are text; the default converter would guess numbers and times from them.
    'header.converter': 'org.apache.kafka.connect.storage.StringConverter',
    transforms: 'columns',
    'transforms.columns.type': 'org.apache.kafka.connect.transforms.ReplaceField$Value',
    'transforms.columns.renames': renames.join(','),
  }
}

function errorSettings(sink: SnowflakeSink, environment: ConnectorEnvironment): Record<string, string> {
  return {
    'errors.tolerance': 'all',
    'errors.log.enable': 'true',
    'errors.log.include.messages': 'false',
    'errors.deadletterqueue.topic.name': deadLetterTopic(sink.from.topic),
    'errors.deadletterqueue.topic.replication.factor': String(environment.replicationFactor),
    'errors.deadletterqueue.context.headers.enable': 'true',
  }
}
