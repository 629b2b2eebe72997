import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  flinkConfiguration,
  flinkConfigurationFile,
  flinkJaas,
  flinkJvmArguments,
  flinkServerClass,
} from '@millrace/flink/server-config'
import type { Jobs } from '@millrace/reconcile/plan-jobs'
import { brokerName } from '../broker-name.ts'
import type { Installation } from '../installation.ts'
import { classPathOf, jvmArguments, jvmStopTimeoutMs } from '../jvm.ts'
import { distributions, type Layout } from '../layout.ts'
import { log4jArgument } from '../logging.ts'
import { httpProbe } from '../probe.ts'
import { writeSecret } from '../secrets.ts'
import type { ServerSpec } from '../server.ts'
import { registryUrl } from './registry.ts'

const readyTimeoutMs = 180_000
const heapMb = 640
/** Results become readable when a checkpoint commits them, so this is the latency that exactly-once adds. */
const checkpointIntervalMs = 400

function checkpointDirectory(layout: Layout): string {
  return join(layout.data, 'flink', 'checkpoints')
}

/** Flink in one JVM: a MiniCluster and the SQL Gateway. `resume` submits the jobs again, which a crash of this JVM has ended. */
export function flinkServer(installation: Installation, resume: () => Promise<void>): ServerSpec {
  const { java, layout, ports, secrets } = installation
  const configurationDirectory = join(layout.configuration, 'flink')
  const jaasFile = join(layout.secrets, 'flink.jaas')
  const temporaryDirectory = join(layout.temporary, 'flink')
  const web = `http://127.0.0.1:${ports.flinkWeb}`
  const ready = [`${web}/overview`, `http://127.0.0.1:${ports.flinkSqlGateway}/v1/info`].map((url) => httpProbe(url))
  const jvm = { distribution: distributions.flink, writesArchive: true, heapMb }
  return {
    kind: 'server',
    name: 'flink',
    dependsOn: [],
    // Its jobs end their transactions when it stops.
    uses: installation.brokerNodes.map(brokerName),
    address: web,
    ports: [ports.flinkWeb, ports.flinkSqlGateway, ports.flinkMetrics],
    command: {
      file: java.command,
      arguments: [
        ...jvmArguments(java, layout, jvm),
        ...flinkJvmArguments(jaasFile),
        log4jArgument(layout),
        '-cp',
        classPathOf(distributions.flink),
        flinkServerClass,
        configurationDirectory,
      ],
    },
    prepare: async () => {
      for (const directory of [configurationDirectory, temporaryDirectory, checkpointDirectory(layout)]) {
        await mkdir(directory, { recursive: true, mode: 0o700 })
      }
      const configuration = flinkConfiguration({
        restPort: ports.flinkWeb,
        sqlGatewayPort: ports.flinkSqlGateway,
        metricsPort: ports.flinkMetrics,
        checkpointDirectory: checkpointDirectory(layout),
        temporaryDirectory,
      })
      await writeSecret(flinkConfigurationFile(configurationDirectory), configuration)
      await writeSecret(jaasFile, flinkJaas('flink', secrets.kafkaPassword('flink')))
    },
    probe: async (signal) => (await Promise.all(ready.map((probe) => probe(signal)))).every(Boolean),
    readyTimeoutMs,
    stopTimeoutMs: jvmStopTimeoutMs(java, jvm),
    restored: resume,
  }
}

/** Where jobs run, and what their SQL depends on. */
export function openJobs(installation: Installation): Jobs {
  const { ports, layout, certificates, bootstrapServers } = installation
  return {
    cluster: {
      url: `http://127.0.0.1:${ports.flinkWeb}`,
      sqlGatewayUrl: `http://127.0.0.1:${ports.flinkSqlGateway}`,
    },
    environment: {
      bootstrapServers: bootstrapServers.join(','),
      truststoreFile: certificates.caFile,
      checkpointDirectory: checkpointDirectory(layout),
      checkpointIntervalMs,
    },
    registryUrl: registryUrl(installation),
  }
}
