import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brokerName } from '../broker-name.ts'
import { taskManagerName } from './flink-cluster.ts'
import { gatewayName } from './gateway.ts'
import { workerName } from './worker.ts'
import type { Installation } from '../installation.ts'
import { projectDirectory } from '../layout.ts'
import { httpProbe } from '../probe.ts'
import { writeSecret } from '../secrets.ts'
import type { ServerSpec } from '../server.ts'
import { mintToken } from '../token.ts'

const readyTimeoutMs = 60_000
const stopTimeoutMs = 15_000
const scrapeIntervalSeconds = 5
const tokenTtlSeconds = 3_600
/** Renewed well before its end, so that a late renewal still finds a valid one. */
const tokenRenewalMs = (tokenTtlSeconds * 1_000) / 3

/** Prometheus and Alertmanager where they are installed; an empty list, and a sentence, where they are not. */
export async function monitoringServers(
  installation: Installation,
): Promise<{ servers: ServerSpec[]; missing: string[] }> {
  const installed = await Promise.all(['prometheus', 'prometheus-alertmanager'].map(isInstalled))
  const [prometheus, alertmanager] = installed
  return {
    servers: [
      ...(alertmanager ? [alertmanagerServer(installation)] : []),
      ...(prometheus ? [prometheusServer(installation, alertmanager ?? false)] : []),
    ],
    missing: ['prometheus', 'prometheus-alertmanager'].filter((_, index) => !installed[index]),
  }
}

async function isInstalled(program: string): Promise<boolean> {
  return promisify(execFile)(program, ['--version']).then(
    () => true,
    () => false,
  )
}

function prometheusServer(installation: Installation, alerting: boolean): ServerSpec {
  const { layout, ports } = installation
  const settingsFile = join(layout.configuration, 'prometheus.json')
  const tokenFile = join(layout.secrets, 'prometheus.jwt')
  const address = `http://127.0.0.1:${ports.prometheus}`
  let renewal: NodeJS.Timeout | undefined
  const renew = async () => {
    const claims = { subject: 'prometheus', scopes: ['metrics:read'], ttlSeconds: tokenTtlSeconds }
    await writeSecret(tokenFile, await mintToken(installation.secrets, claims))
  }
  return {
    kind: 'server',
    name: 'prometheus',
    dependsOn: [],
    address,
    ports: [ports.prometheus],
    command: {
      file: 'prometheus',
      arguments: [
        `--config.file=${settingsFile}`,
        `--storage.tsdb.path=${join(layout.data, 'prometheus')}`,
        '--storage.tsdb.retention.time=2d',
        `--web.listen-address=127.0.0.1:${ports.prometheus}`,
        '--log.level=warn',
      ],
    },
    prepare: async () => {
      await renew()
      // A renewal that fails (a full disk, say) is left to the next one: the token outlives two intervals.
      renewal ??= setInterval(() => void renew().catch(() => undefined), tokenRenewalMs).unref()
      // JSON is YAML, which is what Prometheus reads.
      await writeSecret(settingsFile, JSON.stringify(settings(installation, tokenFile, alerting), undefined, 2))
    },
    probe: httpProbe(`${address}/-/ready`),
    readyTimeoutMs,
    stopTimeoutMs,
  }
}

function settings(installation: Installation, tokenFile: string, alerting: boolean): unknown {
  const { ports, brokerNodes, gatewayInstances, taskManagerInstances, workerInstances } = installation
  const local = (port: number) => `127.0.0.1:${port}`
  const job = (name: string, targets: readonly number[]) => ({
    job_name: name,
    static_configs: [{ targets: targets.map(local) }],
  })
  return {
    global: { scrape_interval: `${scrapeIntervalSeconds}s`, evaluation_interval: `${scrapeIntervalSeconds}s` },
    rule_files: [join(projectDirectory, 'ops/generated/alerts.json')],
    ...(alerting && {
      alerting: { alertmanagers: [{ static_configs: [{ targets: [local(ports.alertmanager)] }] }] },
    }),
    scrape_configs: [
      {
        ...job('gateway', gatewayInstances.map(ports.gateway)),
        ...instanceNames(gatewayInstances, ports.gateway, gatewayName),
        authorization: { credentials_file: tokenFile },
      },
      {
        ...job('kafka', brokerNodes.map(ports.kafkaMetrics)),
        ...instanceNames(brokerNodes, ports.kafkaMetrics, brokerName),
      },
      {
        ...job('flink', [ports.flinkMetrics, ...taskManagerInstances.map(ports.taskManagerMetrics)]),
        ...instanceNames(taskManagerInstances, ports.taskManagerMetrics, taskManagerName),
      },
      job('connect', [ports.connectMetrics]),
      job('monitor', [ports.monitor]),
      {
        ...job('worker', workerInstances.map(ports.worker)),
        ...instanceNames(workerInstances, ports.worker, workerName),
      },
    ],
  }
}

/** Servers of one kind are told apart by their names rather than by their ports. */
function instanceNames(
  numbers: readonly number[],
  portOf: (number: number) => number,
  nameOf: (number: number) => string,
) {
  return {
    relabel_configs: numbers.map((number) => ({
      source_labels: ['__address__'],
      regex: `127.0.0.1:${portOf(number)}`,
      target_label: 'instance',
      replacement: nameOf(number),
    })),
  }
}

function alertmanagerServer({ layout, ports }: Installation): ServerSpec {
  const settingsFile = join(layout.configuration, 'alertmanager.json')
  const address = `http://127.0.0.1:${ports.alertmanager}`
  return {
    kind: 'server',
    name: 'alertmanager',
    dependsOn: [],
    address,
    ports: [ports.alertmanager],
    command: {
      file: 'prometheus-alertmanager',
      arguments: [
        `--config.file=${settingsFile}`,
        `--storage.path=${join(layout.data, 'alertmanager')}`,
        `--web.listen-address=127.0.0.1:${ports.alertmanager}`,
        '--cluster.listen-address=', // alone: no gossip, no second port
        '--log.level=warn',
      ],
    },
    prepare: () =>
      writeSecret(settingsFile, JSON.stringify({ route: { receiver: 'none' }, receivers: [{ name: 'none' }] })),
    probe: httpProbe(`${address}/-/ready`),
    readyTimeoutMs,
    stopTimeoutMs,
  }
}
