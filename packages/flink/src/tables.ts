import type { Pipeline } from '@millrace/core/pipeline'
import type { FlinkEnvironment } from './environment.ts'
import { consumerGroup, transactionalIdPrefix } from './kafka-names.ts'
import * as sql from './sql.ts'

/**
 * As long as the brokers allow by default. A result that a checkpoint contains is committed only after it: if Flink were away
 * for longer, the brokers would abort it, and it would be lost.
 */
export const transactionTimeoutMs = 900_000

const batchBytes = 131_072

type Options = Readonly<Record<string, string | number | boolean>>

/** What a table is: its columns, and the format of its value. */
type Table = { readonly name: string; readonly columns: readonly string[]; readonly options: Options }

/** Keys are bytes; the key is not part of the value. */
export const keyedBy = {
  'key.format': 'raw',
  'key.fields': 'record_key',
  'value.fields-include': 'EXCEPT_KEY',
} as const satisfies Options

export function createTable({ name, columns, options }: Table): string {
  const body = columns.map((column) => `  ${column}`).join(',\n')
  return `CREATE TEMPORARY TABLE ${sql.identifier(name)} (\n${body}\n) WITH (\n${sql.options(options)}\n)`
}

/** The connector's options for the records that a pipeline reads. */
export function sourceOptions(pipeline: Pipeline, environment: FlinkEnvironment): Options {
  return {
    connector: 'millrace-records',
    topic: pipeline.from.topic,
    ...connection(environment),
    'properties.group.id': consumerGroup(pipeline.name),
    'properties.isolation.level': 'read_committed',
    // With every event, so that which events are late depends on their order in the topic and on nothing else.
    'scan.watermark.emit.strategy': 'on-event',
  }
}

/** The connector's options for a topic that a pipeline writes. `role` tells its transactions from those of its other topics. */
export function sinkOptions(pipeline: Pipeline, environment: FlinkEnvironment, topic: string, role: string): Options {
  return {
    connector: 'kafka',
    topic,
    ...connection(environment),
    'properties.transaction.timeout.ms': transactionTimeoutMs,
    // Nobody can read them before the checkpoint that flushes them, so records gather: sent one by one they cost the brokers most of all.
    'properties.linger.ms': Math.floor(pipeline.commitEveryMs / 2),
    'properties.batch.size': batchBytes,
    'sink.delivery-guarantee': 'exactly-once',
    'sink.transactional-id-prefix': `${transactionalIdPrefix(pipeline.name)}${role}`,
    // A few ids over and over, where the other strategy leaves the brokers a new one with each checkpoint, twice a second.
    'sink.transaction-naming-strategy': 'POOLING',
  }
}

/** What a consumer beside the connector's is told, as the text of a properties file. */
export function consumerProperties(environment: FlinkEnvironment): string {
  const properties = Object.entries(connection(environment))
  return properties.map(([name, value]) => `${name.replace(/^properties\./, '')}=${String(value)}`).join('\n')
}

function connection({ bootstrapServers, truststoreFile }: FlinkEnvironment): Options {
  return {
    'properties.bootstrap.servers': bootstrapServers,
    'properties.security.protocol': 'SASL_SSL',
    'properties.sasl.mechanism': 'SCRAM-SHA-512',
    'properties.ssl.truststore.type': 'PEM',
    'properties.ssl.truststore.location': truststoreFile,
  }
}
