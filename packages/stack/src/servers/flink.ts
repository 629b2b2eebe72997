import type { FlinkCluster } from '@millrace/flink/jobs'
import { miniClusterClass, miniClusterConfiguration } from '@millrace/flink/server-config'
import type { Jobs } from '@millrace/reconcile/plan-jobs'
import { checkpointDirectory } from '../flink-checkpoints.ts'
import type { Installation } from '../installation.ts'
import { httpProbe } from '../probe.ts'
import type { ServerSpec } from '../server.ts'
import { flinkClusterServers } from './flink-cluster.ts'
import { flinkProcess } from './flink-process.ts'
import { registryUrl } from './registry.ts'

const heapMb = 640

/** Flink in one JVM, or as a cluster. `resume` submits the jobs again that the crash of a JobManager has ended. */
export function flinkServers(installation: Installation, resume: () => Promise<void>): ServerSpec[] {
  return installation.flink === 'cluster'
    ? flinkClusterServers(installation, clusterOf(installation), resume)
    : [miniCluster(installation, resume)]
}

/** A MiniCluster, which is JobManager and TaskManager, and the SQL Gateway. */
function miniCluster(installation: Installation, resume: () => Promise<void>): ServerSpec {
  const { layout, ports, flink } = installation
  const { url, sqlGatewayUrl } = clusterOf(installation)
  const ready = [`${url}/overview`, `${sqlGatewayUrl}/v1/info`].map((address) => httpProbe(address))
  return {
    ...flinkProcess(installation, {
      name: 'flink',
      mainClass: miniClusterClass,
      heapMb,
      writesArchive: true,
      arguments: (configurationDirectory) => [configurationDirectory],
      configuration: (temporaryDirectory) =>
        miniClusterConfiguration({
          restPort: ports.flinkWeb,
          sqlGatewayPort: ports.flinkSqlGateway,
          metricsPort: ports.flinkMetrics,
          checkpointDirectory: checkpointDirectory(layout, flink),
          temporaryDirectory,
        }),
    }),
    address: url,
    ports: [ports.flinkWeb, ports.flinkSqlGateway, ports.flinkMetrics],
    probe: async (signal) => (await Promise.all(ready.map((probe) => probe(signal)))).every(Boolean),
    restored: resume,
  }
}

function clusterOf({ ports }: Installation): FlinkCluster {
  return {
    url: `http://127.0.0.1:${ports.flinkWeb}`,
    sqlGatewayUrl: `http://127.0.0.1:${ports.flinkSqlGateway}`,
  }
}

/** Where jobs run, and what their SQL depends on. */
export function openJobs(installation: Installation): Jobs {
  const { layout, certificates, bootstrapServers, flink } = installation
  return {
    cluster: clusterOf(installation),
    environment: {
      bootstrapServers: bootstrapServers.join(','),
      truststoreFile: certificates.caFile,
      checkpointDirectory: checkpointDirectory(layout, flink),
    },
    registryUrl: registryUrl(installation),
  }
}
