import { join } from 'node:path'

/** What every form of Flink on one machine is told. */
export type FlinkServerOptions = {
  readonly restPort: number
  readonly sqlGatewayPort: number
  /** Absolute. Each job has a folder of its own below it. */
  readonly checkpointDirectory: string
}

/** One process of it. */
export type FlinkProcessOptions = {
  readonly metricsPort: number
  /** Absolute. Buffers and unpacked libraries; empty after a stop. */
  readonly temporaryDirectory: string
}

export type FlinkSettings = Readonly<Record<string, string | number | boolean>>

/** Of a MiniCluster, and of each TaskManager: a job for each pipeline, and some to spare. A job takes as many as its parallelism. */
export const slots = 8
/** Flink refuses a windowed aggregation with less than 8 MiB. */
const managedMemoryPerSlotMb = 16
const networkMemoryMb = 32
const restAgeMaxMs = 250
export const loopback = '127.0.0.1'

/** The text of the `config.yaml` of a MiniCluster and its SQL Gateway, which are one process. */
export function miniClusterConfiguration(options: FlinkServerOptions & FlinkProcessOptions): string {
  return configurationText({
    ...serverSettings(options),
    ...metricsSettings(options.metricsPort),
    'io.tmp.dirs': options.temporaryDirectory,
    'taskmanager.numberOfTaskSlots': slots,
    'taskmanager.memory.managed.size': `${slots * managedMemoryPerSlotMb}mb`,
    'taskmanager.memory.network.min': `${networkMemoryMb}mb`,
    'taskmanager.memory.network.max': `${networkMemoryMb}mb`,
    'state.backend.type': 'hashmap',
  })
}

/** Where the servers are, all on loopback, and what jobs find. */
export function serverSettings({ restPort, sqlGatewayPort, checkpointDirectory }: FlinkServerOptions): FlinkSettings {
  return {
    'rest.address': loopback,
    'rest.bind-address': loopback,
    'rest.port': restPort,
    'rest.bind-port': restPort,
    'jobmanager.bind-host': loopback,
    'taskmanager.bind-host': loopback,
    'sql-gateway.endpoint.rest.address': loopback,
    'sql-gateway.endpoint.rest.bind-address': loopback,
    'sql-gateway.endpoint.rest.port': sqlGatewayPort,
    'sql-gateway.endpoint.rest.bind-port': sqlGatewayPort,
    'execution.target': 'remote',
    'execution.attached': false,
    // Anybody who may reach the port could otherwise run code of theirs in this process.
    'web.submit.enable': false,

    'execution.checkpointing.dir': `file://${checkpointDirectory}`,
    'execution.checkpointing.num-retained': 2,
    // A job never gives up: what it waits for comes back, or somebody reads the alert that it restarts.
    'restart-strategy.type': 'exponential-delay',
    'restart-strategy.exponential-delay.initial-backoff': '200 ms',
    'restart-strategy.exponential-delay.max-backoff': '10 s',
    'restart-strategy.exponential-delay.reset-backoff-threshold': '1 min',
  }
}

export function metricsSettings(metricsPort: number): FlinkSettings {
  return {
    'metrics.reporters': 'prometheus',
    'metrics.reporter.prometheus.factory.class':
      'org.apache.flink.metrics.prometheus.LoopbackPrometheusReporterFactory',
    'metrics.reporter.prometheus.port': metricsPort,
    // Else "a.b", "a-b" and "a_b" were one name of a job.
    'metrics.reporter.prometheus.filterLabelValueCharacters': false,
    'metrics.latency.interval': 0,
    // What its REST API says is as old as this at most; both are looked up when somebody asks, and at no other time.
    'metrics.fetcher.update-interval': `${restAgeMaxMs} ms`,
    'web.refresh-interval': `${restAgeMaxMs} ms`,
  }
}

/** A JSON scalar is the same scalar in YAML. */
export function configurationText(settings: FlinkSettings): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('')
}

/** The Java class of `packages/jvm/millrace-flink` that is a MiniCluster and its SQL Gateway; its one argument is the folder of `config.yaml`. */
export const miniClusterClass = 'io.millrace.flink.FlinkServer'

/**
 * What the JVM of the server needs beside its memory settings: the modules that Flink opens with its own start scripts, and the file
 * from which Kafka's clients take their password.
 */
export function flinkJvmArguments(jaasFile: string): string[] {
  return [
    '-XX:MaxMetaspaceSize=256m',
    ...exports.map((name) => `--add-exports=${name}=ALL-UNNAMED`),
    ...opens.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
    `-Djava.security.auth.login.config=${jaasFile}`,
  ]
}

const exports = [
  'java.rmi/sun.rmi.registry',
  'java.security.jgss/sun.security.krb5',
  ...['api', 'file', 'parser', 'tree', 'util'].map((name) => `jdk.compiler/com.sun.tools.javac.${name}`),
]

const opens = [
  'java.lang',
  'java.net',
  'java.io',
  'java.nio',
  'sun.nio.ch',
  'java.lang.reflect',
  'java.text',
  'java.time',
  'java.util',
  'java.util.concurrent',
  'java.util.concurrent.atomic',
  'java.util.concurrent.locks',
]

/**
 * The text of the JAAS file from which Kafka's clients inside Flink take their user: a secret (mode 0600). The connector brings Kafka's classes under names of its own.
 * @throws RangeError for a control character, which would end the quoted word.
 */
export function flinkJaas(user: string, password: string): string {
  const module = 'org.apache.flink.kafka.shaded.org.apache.kafka.common.security.scram.ScramLoginModule'
  return `KafkaClient {\n  ${module} required\n  username=${quoted(user)}\n  password=${quoted(password)};\n};\n`
}

function quoted(value: string): string {
  if (/\p{Cc}/u.test(value)) throw new RangeError('a JAAS file takes no control characters in a user or password')
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** The file of `config.yaml` in its folder. */
export function flinkConfigurationFile(directory: string): string {
  return join(directory, 'config.yaml')
}
