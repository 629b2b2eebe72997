import { randomUUID } from 'node:crypto'
import {
  clusterClasses,
  type FlinkClusterOptions,
  jobManagerConfiguration,
  sqlGatewayConfiguration,
  taskManagerConfiguration,
} from '@millrace/flink/cluster-config'
import { taskManagerIds } from '@millrace/flink/job-manager'
import { awaitCluster, type FlinkCluster } from '@millrace/flink/jobs'
import { checkpointDirectory } from '../flink-checkpoints.ts'
import type { Installation } from '../installation.ts'
import { httpProbe } from '../probe.ts'
import type { ServerSpec } from '../server.ts'
import { flinkProcess } from './flink-process.ts'

const heapsMb = { jobManager: 320, taskManager: 512, sqlGateway: 320 } as const
/** The others may have died with the JobManager, and be starting again. */
const gatherTimeoutMs = 120_000

const jobManagerName = 'flink-jobmanager'

export function taskManagerName(instance: number): string {
  return `flink-taskmanager-${instance}`
}

/**
 * A session cluster of Flink, each part of it a server of its own. A TaskManager that dies costs its jobs a restart from their newest
 * checkpoint, which the JobManager sees to; a JobManager that dies takes its jobs with it, which `resume` submits again; the SQL Gateway
 * has nothing to lose.
 */
export function flinkClusterServers(
  installation: Installation,
  cluster: FlinkCluster,
  resume: () => Promise<void>,
): ServerSpec[] {
  return [
    jobManager(installation, cluster, resume),
    ...installation.taskManagerInstances.map((instance) => taskManager(installation, cluster, instance)),
    sqlGateway(installation, cluster),
  ]
}

function jobManager(installation: Installation, cluster: FlinkCluster, resume: () => Promise<void>): ServerSpec {
  const { ports, taskManagerInstances } = installation
  return {
    ...flinkProcess(installation, {
      name: jobManagerName,
      mainClass: clusterClasses.jobManager,
      heapMb: heapsMb.jobManager,
      program: jobManagerName,
      writesArchive: true,
      arguments: configDirectory,
      configuration: (temporaryDirectory) =>
        jobManagerConfiguration(clusterOptions(installation), {
          metricsPort: ports.flinkMetrics,
          metricsQueryPort: ports.flinkMetricsQuery,
          temporaryDirectory,
        }),
    }),
    address: cluster.url,
    ports: [ports.flinkWeb, ports.flinkJobManager, ports.flinkBlobs, ports.flinkMetrics, ports.flinkMetricsQuery],
    probe: httpProbe(`${cluster.url}/overview`),
    restored: async () => {
      await awaitCluster(cluster, taskManagerInstances.length, gatherTimeoutMs)
      await resume()
    },
  }
}

function taskManager(installation: Installation, cluster: FlinkCluster, instance: number): ServerSpec {
  const { ports } = installation
  const [rpcPort, dataPort] = [ports.taskManager(instance), ports.taskManagerData(instance)]
  const [metricsPort, metricsQueryPort] = [ports.taskManagerMetrics(instance), ports.taskManagerMetricsQuery(instance)]
  const name = taskManagerName(instance)
  let resourceId = name
  return {
    ...flinkProcess(installation, {
      name,
      mainClass: clusterClasses.taskManager,
      heapMb: heapsMb.taskManager,
      program: 'flink-taskmanager',
      writesArchive: instance === 1,
      arguments: configDirectory,
      configuration: (temporaryDirectory) => {
        resourceId = `${name}-${randomUUID()}`
        const process = { resourceId, rpcPort, dataPort, metricsPort, metricsQueryPort, temporaryDirectory }
        return taskManagerConfiguration(clusterOptions(installation), process, heapsMb.taskManager)
      },
    }),
    address: `http://127.0.0.1:${metricsPort}/metrics`,
    ports: [rpcPort, dataPort, metricsPort, metricsQueryPort],
    probe: async () => (await taskManagerIds(cluster.url)).includes(resourceId),
  }
}

function sqlGateway(installation: Installation, { sqlGatewayUrl }: FlinkCluster): ServerSpec {
  const name = 'flink-sql-gateway'
  return {
    ...flinkProcess(installation, {
      name,
      mainClass: clusterClasses.sqlGateway,
      heapMb: heapsMb.sqlGateway,
      program: name,
      writesArchive: true,
      arguments: () => [],
      configuration: (temporaryDirectory) =>
        sqlGatewayConfiguration(clusterOptions(installation), { temporaryDirectory }),
    }),
    address: sqlGatewayUrl,
    ports: [installation.ports.flinkSqlGateway],
    probe: httpProbe(`${sqlGatewayUrl}/v1/info`),
  }
}

function configDirectory(configurationDirectory: string): string[] {
  return ['--configDir', configurationDirectory]
}

function clusterOptions({ layout, ports, flink }: Installation): FlinkClusterOptions {
  return {
    restPort: ports.flinkWeb,
    sqlGatewayPort: ports.flinkSqlGateway,
    jobManagerPort: ports.flinkJobManager,
    blobPort: ports.flinkBlobs,
    checkpointDirectory: checkpointDirectory(layout, flink),
  }
}
