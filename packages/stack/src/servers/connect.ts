import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Installation } from '../installation.ts'
import { kafkaClientSettings } from '../kafka-client-settings.ts'
import { classPathOf, jvmArguments, jvmStopTimeoutMs } from '../jvm.ts'
import { distributions } from '../layout.ts'
import { log4jArgument } from '../logging.ts'
import { properties } from '../properties.ts'
import { writeSecret } from '../secrets.ts'
import { httpProbe } from '../probe.ts'
import type { ServerSpec } from '../server.ts'
import { warehouseHost } from './warehouse.ts'

const readyTimeoutMs = 180_000
const heapMb = 512

export function connectUrl({ ports }: Installation): string {
  return `http://127.0.0.1:${ports.connect}`
}

/** One Kafka Connect worker in distributed mode, with Snowflake's own connector. */
export function connectServer(installation: Installation): ServerSpec {
  const { java, layout, ports } = installation
  const settingsFile = join(layout.configuration, 'connect.properties')
  const hostsFile = join(layout.configuration, 'connect.hosts')
  const jvm = { distribution: distributions.connect, writesArchive: true, heapMb }
  return {
    kind: 'server',
    name: 'connect',
    // The warehouse so that it outlives the connector, which ends by writing to it what it holds.
    dependsOn: ['foundation', 'warehouse-double'],
    address: connectUrl(installation),
    ports: [ports.connect, ports.connectMetrics],
    command: {
      file: java.command,
      arguments: [
        ...jvmArguments(java, layout, jvm),
        ...installation.jmxAgent(ports.connectMetrics, 'connect'),
        log4jArgument(layout),
        // This JVM knows these names alone: the account's host is the double on loopback, and nothing can be called outside.
        `-Djdk.net.hosts.file=${hostsFile}`,
        '--add-opens=java.base/java.nio=ALL-UNNAMED',
        '-cp',
        classPathOf(distributions.connect),
        'org.apache.kafka.connect.cli.ConnectDistributed',
        settingsFile,
      ],
    },
    prepare: async () => {
      await mkdir(dirname(installation.secrets.warehouseKeyPropertiesFile), { recursive: true, mode: 0o700 })
      await writeSecret(hostsFile, `127.0.0.1 localhost\n127.0.0.1 ${warehouseHost}\n`)
      await writeSecret(settingsFile, properties(workerSettings(installation)))
    },
    probe: httpProbe(`${connectUrl(installation)}/connectors`),
    readyTimeoutMs,
    stopTimeoutMs: jvmStopTimeoutMs(java, jvm),
  }
}

function workerSettings(installation: Installation): Record<string, string | number | boolean> {
  const { ports, bootstrapServers, replication, secrets } = installation
  return {
    'bootstrap.servers': bootstrapServers.join(','),
    'group.id': 'connect-cluster',
    listeners: `http://127.0.0.1:${ports.connect}`,
    'rest.advertised.host.name': '127.0.0.1',
    'rest.advertised.port': ports.connect,
    'plugin.path': distributions.plugins,
    'plugin.discovery': 'service_load',
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': false,
    'config.storage.topic': '_connect-configs',
    'offset.storage.topic': '_connect-offsets',
    'status.storage.topic': '_connect-status',
    'config.storage.replication.factor': replication.factor,
    'offset.storage.replication.factor': replication.factor,
    'status.storage.replication.factor': replication.factor,
    'offset.flush.interval.ms': 2_000,
    // After a crash the new worker waits for the dead one's session to end.
    'session.timeout.ms': 6_000,
    'heartbeat.interval.ms': 2_000,
    'scheduled.rebalance.max.delay.ms': 2_000,
    'connector.client.config.override.policy': 'All',
    'config.providers': 'file',
    'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
    'config.providers.file.param.allowed.paths': dirname(secrets.warehouseKeyPropertiesFile),
    ...kafkaClientSettings(installation, 'connect'),
    ...kafkaClientSettings(installation, 'connect', 'producer.'),
    ...kafkaClientSettings(installation, 'connect', 'consumer.'),
    ...kafkaClientSettings(installation, 'connect', 'admin.'),
  }
}
