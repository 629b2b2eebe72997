import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import type { Platform } from '@millrace/core/platform'
import { type Admin, openAdmin } from '@millrace/kafka/admin'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { type Certificates, loadCertificates } from './certificates.ts'
import { type FlinkForm, requireSameFlink } from './flink-checkpoints.ts'
import { findJava, type Java, type JavaEnvironment } from './java.ts'
import { javaMajorMin } from './jvm.ts'
import { distributions, type Layout, layoutOf, projectDirectory } from './layout.ts'
import { writeLoggingConfiguration } from './logging.ts'
import { type Ports, portsFrom } from './ports.ts'
import { loadSecrets, type Secrets } from './secrets.ts'
import { brokerName } from './broker-name.ts'
import { requireSameBrokers, requireSameCluster } from './broker-disks.ts'

const taskManagersDefault = 2

export type InstallationOptions = {
  readonly stateDirectory: string
  readonly portBase: number
  readonly brokers: 1 | 3
  /** From 1, which is the default, to `gatewaysMax`. */
  readonly gateways?: number
  /** From 0 to `workersMax`; 1 unless said. They run where the definition has handlers. */
  readonly workers?: number
  /** `embedded` unless said. */
  readonly flink?: FlinkForm
  /** From 1 to `taskManagersMax`, 2 unless said; of a cluster only. */
  readonly taskManagers?: number
  /** Whether the brokers, and the registry for the gateways, are reached through a proxy that can make their network fail: for drills. */
  readonly faults?: boolean
  readonly platform: Platform
  /** The module that exports the platform, for the workers: only where it has handlers. */
  readonly platformFile?: string
  readonly java: JavaEnvironment
}

/** Everything that the servers of one installation share: where things are, who they are and what they trust. */
export type Installation = {
  readonly layout: Layout
  readonly ports: Ports
  readonly java: Java
  readonly secrets: Secrets
  readonly certificates: Certificates
  readonly platform: Platform
  readonly brokerNodes: readonly number[]
  /** The gateways, counted from 1. */
  readonly gatewayInstances: readonly number[]
  /** The workers, counted from 1. */
  readonly workerInstances: readonly number[]
  readonly flink: FlinkForm
  /** The TaskManagers of Flink's cluster, counted from 1; none where it is embedded. */
  readonly taskManagerInstances: readonly number[]
  readonly platformFile: string | undefined
  /** Whether there is a fault proxy. */
  readonly faults: boolean
  /** The ports by which servers reach others: the fault proxy's where there is one, else those on which these listen. */
  readonly reached: Pick<Ports, 'kafkaClient' | 'kafkaInterBroker' | 'kafkaController' | 'registry'>
  readonly replication: { readonly factor: number; readonly minInSync: number }
  readonly bootstrapServers: readonly string[]
  /** The Kafka users that the definition gives access to. */
  readonly readers: readonly string[]
  kafkaConnection(user: string): Promise<KafkaConnection>
  /** Whether a broker answers and takes part in the cluster, whatever the others do. */
  isBrokerReady(node: number): Promise<boolean>
  jmxAgent(port: number, rules: 'kafka' | 'connect'): string[]
}

/**
 * Opens the installation of a state folder, or makes it.
 * @throws MillraceError with the way out, when the folder is another version's, another number of brokers', or damaged
 */
export async function openInstallation(options: InstallationOptions): Promise<Installation> {
  const layout = layoutOf(options.stateDirectory)
  const brokerNodes = options.brokers === 1 ? [1] : [1, 2, 3]
  const { flink = 'embedded' } = options
  const taskManagers = taskManagersOf(flink, options.taskManagers)
  await requireSameBrokers(layout, brokerNodes)
  await requireSameFlink(layout, flink)
  const java = await findJava(options.java, javaMajorMin)
  for (const directory of Object.values(layout)) await mkdir(directory, { recursive: true, mode: 0o700 })
  await mkdir(distributions.classDataArchives, { recursive: true })
  const readers = options.platform.access.map((reader) => reader.user)
  const ports = portsFrom(options.portBase)
  const secrets = await loadSecrets(layout, readers)
  await requireSameCluster(layout, secrets.clusterId)
  const certificates = await loadCertificates(layout, [...brokerNodes.map(brokerName), 'registry'])
  await writeLoggingConfiguration(layout)
  const reached = options.faults === true ? proxied(ports) : ports
  const bootstrapServers = brokerNodes.map((node) => `127.0.0.1:${reached.kafkaClient(node)}`)

  const connectionTo = async (servers: readonly string[], user: string): Promise<KafkaConnection> => ({
    bootstrapServers: servers,
    caPem: await readFile(certificates.caFile, 'utf8'),
    username: user,
    password: secrets.kafkaPassword(user),
    clientId: `millrace-stack`,
  })
  return {
    layout,
    ports,
    java,
    secrets,
    certificates,
    platform: options.platform,
    brokerNodes,
    gatewayInstances: counted(options.gateways ?? 1),
    workerInstances: counted(options.platform.handlers.length > 0 ? (options.workers ?? 1) : 0),
    flink,
    taskManagerInstances: counted(taskManagers),
    platformFile: options.platformFile,
    faults: options.faults === true,
    reached,
    replication: options.brokers === 1 ? { factor: 1, minInSync: 1 } : { factor: 3, minInSync: 2 },
    bootstrapServers,
    readers,
    kafkaConnection: (user) => connectionTo(bootstrapServers, user),
    isBrokerReady: async (node) => {
      const connection = await connectionTo([`127.0.0.1:${ports.kafkaClient(node)}`], 'admin')
      // Asked of this one alone: after the loss of two brokers, each must come back without the other.
      return withAdmin(connection, async (admin) => (await admin.brokers()).some(({ id }) => id === node))
    },
    jmxAgent: (port, rules) => [
      `-javaagent:${join(distributions.agents, 'jmx_prometheus_javaagent-1.0.1.jar')}=127.0.0.1:${port}:${join(projectDirectory, 'packages/stack/configuration', `jmx-${rules}.yaml`)}`,
    ],
  }
}

/** @throws MillraceError `config.invalid` when TaskManagers are asked for where Flink has none of its own */
function taskManagersOf(flink: FlinkForm, taskManagers: number | undefined): number {
  if (flink === 'cluster') return taskManagers ?? taskManagersDefault
  if (taskManagers === undefined) return 0
  throw new MillraceError('config.invalid', 'Flink has TaskManagers of its own as a cluster only: add --flink cluster')
}

function counted(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

function proxied(ports: Ports): Installation['reached'] {
  return {
    kafkaClient: ports.kafkaClientProxy,
    kafkaInterBroker: ports.kafkaInterBrokerProxy,
    kafkaController: ports.kafkaControllerProxy,
    registry: ports.registryProxy,
  }
}

async function withAdmin<T>(connection: KafkaConnection, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = openAdmin(connection)
  try {
    return await use(admin)
  } finally {
    await admin.close()
  }
}
