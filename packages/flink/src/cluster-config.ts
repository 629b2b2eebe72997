/** Flink as a session cluster: a JobManager, TaskManagers and a SQL Gateway, each a process of its own, on one machine. */
import {
  configurationText,
  type FlinkProcessOptions,
  type FlinkServerOptions,
  type FlinkSettings,
  loopback,
  metricsSettings,
  serverSettings,
  slots,
} from './server-config.ts'

/** What all processes of a cluster are told. */
export type FlinkClusterOptions = FlinkServerOptions & {
  /** Where TaskManagers find the JobManager. */
  readonly jobManagerPort: number
  /** Where they fetch a job's files. */
  readonly blobPort: number
}

/** A process that others of the cluster ask for its metrics, for the web page. */
export type FlinkClusterProcessOptions = FlinkProcessOptions & { readonly metricsQueryPort: number }

export type TaskManagerOptions = FlinkClusterProcessOptions & {
  /** Unlike that of the process before, which the JobManager may not have given up yet. */
  readonly resourceId: string
  readonly rpcPort: number
  /** Where other TaskManagers fetch what they read. */
  readonly dataPort: number
}

/** Flink's own programs. Those of the cluster take `--configDir <folder of config.yaml>`, the gateway takes it from FLINK_CONF_DIR. */
export const clusterClasses = {
  jobManager: 'org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint',
  taskManager: 'org.apache.flink.runtime.taskexecutor.TaskManagerRunner',
  sqlGateway: 'org.apache.flink.table.gateway.SqlGateway',
} as const

/** Half is RocksDB's, half is for what windows gather, of which Flink refuses less than 8 MiB. */
const managedMemoryPerSlotMb = 32
const networkMemoryMb = 64
const frameworkHeapMb = 64
const frameworkOffHeapMb = 128
/** Shown in the web page as what the process takes; the JVM is not bound by them. */
const metaspaceMb = 256
const overheadMb = 192

/** The text of the JobManager's `config.yaml`. */
export function jobManagerConfiguration(cluster: FlinkClusterOptions, process: FlinkClusterProcessOptions): string {
  return configurationText({ ...clusterSettings(cluster, process), ...metrics(process) })
}

/** The text of a TaskManager's `config.yaml`. @param heapMb that of its JVM */
export function taskManagerConfiguration(
  cluster: FlinkClusterOptions,
  process: TaskManagerOptions,
  heapMb: number,
): string {
  return configurationText({
    ...clusterSettings(cluster, process),
    ...metrics(process),
    'taskmanager.resource-id': process.resourceId,
    'taskmanager.host': loopback,
    'taskmanager.rpc.port': process.rpcPort,
    'taskmanager.data.port': process.dataPort,
    // Flink's start scripts would reckon all of this out; without them a TaskManager does not start until it is told.
    'taskmanager.cpu.cores': slots,
    'taskmanager.memory.framework.heap.size': `${frameworkHeapMb}mb`,
    'taskmanager.memory.task.heap.size': `${heapMb - frameworkHeapMb}mb`,
    'taskmanager.memory.framework.off-heap.size': `${frameworkOffHeapMb}mb`,
    'taskmanager.memory.task.off-heap.size': '0mb',
    'taskmanager.memory.jvm-metaspace.size': `${metaspaceMb}mb`,
    'taskmanager.memory.jvm-overhead.min': `${overheadMb}mb`,
    'taskmanager.memory.jvm-overhead.max': `${overheadMb}mb`,
  })
}

/** The text of the SQL Gateway's `config.yaml`. It has no metrics. */
export function sqlGatewayConfiguration(
  cluster: FlinkClusterOptions,
  process: Pick<FlinkProcessOptions, 'temporaryDirectory'>,
): string {
  return configurationText(clusterSettings(cluster, process))
}

function clusterSettings(
  cluster: FlinkClusterOptions,
  { temporaryDirectory }: Pick<FlinkProcessOptions, 'temporaryDirectory'>,
): FlinkSettings {
  return {
    ...serverSettings(cluster),
    'jobmanager.rpc.address': loopback,
    'jobmanager.rpc.port': cluster.jobManagerPort,
    'blob.server.port': cluster.blobPort,
    'io.tmp.dirs': temporaryDirectory,
    'taskmanager.numberOfTaskSlots': slots,
    'taskmanager.memory.managed.size': `${slots * managedMemoryPerSlotMb}mb`,
    'taskmanager.memory.network.min': `${networkMemoryMb}mb`,
    'taskmanager.memory.network.max': `${networkMemoryMb}mb`,
    // Else all jobs gather in the first TaskManager, and the loss of it is the loss of all.
    'taskmanager.load-balance.mode': 'SLOTS',

    // A process that is killed refuses connections, which two heartbeats tell. One that hangs is given up after the timeout.
    'heartbeat.interval': '1 s',
    'heartbeat.timeout': '10 s',
    // A TaskManager asks this often for a JobManager that is not there.
    'cluster.registration.error-delay': '1 s',
    'cluster.registration.max-timeout': '5 s',

    'state.backend.type': 'rocksdb',
    'execution.checkpointing.incremental': true,
    // Eight times the arena that it takes at once: with the default of 64 MB a slot has not enough for one, and writes all the time.
    'state.backend.rocksdb.writebuffer.size': '8mb',
  }
}

function metrics({ metricsPort, metricsQueryPort }: FlinkClusterProcessOptions): FlinkSettings {
  return { ...metricsSettings(metricsPort), 'metrics.internal.query-service.port': metricsQueryPort }
}
