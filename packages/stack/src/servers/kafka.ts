import { join } from 'node:path'
import { brokerDisk } from '../broker-disks.ts'
import { brokerName } from '../broker-name.ts'
import type { Installation } from '../installation.ts'
import { classPathOf, jvmArguments, jvmStopTimeoutMs } from '../jvm.ts'
import { distributions } from '../layout.ts'
import { writeSecret } from '../secrets.ts'
import type { ServerSpec, TaskSpec } from '../server.ts'
import { properties } from '../properties.ts'
import { log4jArgument } from '../logging.ts'
import { faultServers } from './fault-proxy.ts'
import { formatDisks } from './kafka-format.ts'

const readyTimeoutMs = 180_000
const heapMb = 320
/** How long a broker may be silent until its partitions get new leaders: what bounds the pause after the loss of one. */
export const brokerSessionTimeoutMs = 6_000

/** The brokers of the cluster, each also a controller, and the task that formats their disks before the first start. */
export function kafkaServers(installation: Installation): (ServerSpec | TaskSpec)[] {
  const format: TaskSpec = {
    kind: 'task',
    name: 'kafka-format',
    dependsOn: [],
    run: () => prepareBrokers(installation),
  }
  return [format, ...installation.brokerNodes.map((node) => broker(installation, node))]
}

function broker(installation: Installation, node: number): ServerSpec {
  const { java, layout, ports } = installation
  const metricsPort = ports.kafkaMetrics(node)
  const jvm = { distribution: distributions.kafka, writesArchive: node === 1, heapMb }
  return {
    kind: 'server',
    name: brokerName(node),
    dependsOn: ['kafka-format', ...faultServers(installation).map((proxy) => proxy.name)],
    address: `127.0.0.1:${ports.kafkaClient(node)}`,
    ports: [ports.kafkaClient(node), ports.kafkaInterBroker(node), ports.kafkaController(node), metricsPort],
    command: {
      file: java.command,
      arguments: [
        ...jvmArguments(java, layout, jvm),
        ...installation.jmxAgent(metricsPort, 'kafka'),
        log4jArgument(layout),
        '-cp',
        classPathOf(distributions.kafka),
        'kafka.Kafka',
        propertiesFile(installation, node),
      ],
    },
    probe: () => installation.isBrokerReady(node),
    readyTimeoutMs,
    stopTimeoutMs: jvmStopTimeoutMs(java, jvm),
  }
}

function propertiesFile({ layout }: Installation, node: number): string {
  return join(layout.configuration, `${brokerName(node)}.properties`)
}

/** Writes the brokers' settings, and formats their disks before the first start. */
async function prepareBrokers(installation: Installation): Promise<void> {
  for (const node of installation.brokerNodes) {
    await writeSecret(propertiesFile(installation, node), properties(brokerSettings(installation, node)))
  }
  await formatDisks(installation, (node) => propertiesFile(installation, node))
}

/** The `server.properties` of one broker. */
export function brokerSettings(installation: Installation, node: number): Record<string, string | number | boolean> {
  const { ports, reached, faults, certificates, secrets, brokerNodes, replication } = installation
  const host = '127.0.0.1'
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required'
  return {
    'process.roles': 'broker,controller',
    'node.id': node,
    'controller.quorum.voters': brokerNodes.map((id) => `${id}@${host}:${reached.kafkaController(id)}`).join(','),
    listeners: `CLIENT://${host}:${ports.kafkaClient(node)},BROKER://${host}:${ports.kafkaInterBroker(node)},CONTROLLER://${host}:${ports.kafkaController(node)}`,
    'advertised.listeners': [
      `CLIENT://${host}:${reached.kafkaClient(node)}`,
      `BROKER://${host}:${reached.kafkaInterBroker(node)}`,
      // Else it is where the controller listens, past the proxy.
      ...(faults ? [`CONTROLLER://${host}:${reached.kafkaController(node)}`] : []),
    ].join(),
    'listener.security.protocol.map': 'CLIENT:SASL_SSL,BROKER:SASL_SSL,CONTROLLER:SSL',
    'inter.broker.listener.name': 'BROKER',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': brokerDisk(installation.layout, node),

    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': certificates.keystoreFile(brokerName(node)),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': certificates.caFile,
    'ssl.endpoint.identification.algorithm': 'https',
    'ssl.enabled.protocols': 'TLSv1.3',
    // These JVMs have no C2 compiler (see jvm.ts), which alone knows the processor's AES: measured, AES-GCM is 28 MB/s then, ChaCha20 113.
    'ssl.cipher.suites': 'TLS_CHACHA20_POLY1305_SHA256,TLS_AES_128_GCM_SHA256',
    'listener.name.controller.ssl.client.auth': 'required',
    'ssl.principal.mapping.rules': 'RULE:^CN=([^,]+).*$/$1/,DEFAULT',

    'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
    'listener.name.client.scram-sha-512.sasl.jaas.config': `${scram};`,
    'listener.name.broker.scram-sha-512.sasl.jaas.config': `${scram} username="broker" password="${secrets.kafkaPassword('broker')}";`,

    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': ['admin', 'broker', ...brokerNodes.map(brokerName)].map((user) => `User:${user}`).join(';'),
    'allow.everyone.if.no.acl.found': false,

    'auto.create.topics.enable': false,
    'unclean.leader.election.enable': false,
    'default.replication.factor': replication.factor,
    'min.insync.replicas': replication.minInSync,
    'offsets.topic.replication.factor': replication.factor,
    'offsets.topic.num.partitions': 6,
    'transaction.state.log.replication.factor': replication.factor,
    'transaction.state.log.min.isr': replication.minInSync,
    'transaction.state.log.num.partitions': 6,
    'share.coordinator.state.topic.replication.factor': replication.factor,
    'share.coordinator.state.topic.min.isr': replication.minInSync,
    'group.initial.rebalance.delay.ms': 0,
    // What bounds the pause after the loss of a worker: its partitions go to others when its session has run out.
    'group.consumer.min.session.timeout.ms': 6_000,
    'group.consumer.session.timeout.ms': 6_000,
    'group.consumer.min.heartbeat.interval.ms': 1_000,
    'group.consumer.heartbeat.interval.ms': 1_000,
    'broker.session.timeout.ms': brokerSessionTimeoutMs,
    'broker.heartbeat.interval.ms': 1_000,
    // The first broker that is up leads everything; partitions go back to their preferred leaders soon, not after five minutes.
    'leader.imbalance.check.interval.seconds': 5,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    'log.segment.bytes': 128 * 1024 * 1024,
    // Left to the system: Kafka's fixed 100 KiB stalls larger TLS batches on loopback.
    'socket.receive.buffer.bytes': -1,
    'socket.send.buffer.bytes': -1,
    'replica.socket.receive.buffer.bytes': -1,
    // A follower that knows of a new partition before its leader does asks again after this time; 1 s would hold up the topic's first events.
    'replica.fetch.backoff.ms': 100,
    // A follower asks for a partition that has another leader with its next fetch: with 500 ms, writers wait for it when leaders change.
    'replica.fetch.wait.max.ms': 100,
  }
}
