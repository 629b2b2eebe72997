import { createServer } from 'node:net'
import { MillraceError } from '@millrace/core/errors'

export const portBaseDefault = 19_000
/** Their ports lie between the first port of an installation and those of Kafka. */
export const gatewaysMax = 10
/** Their ports lie between those of the registry and those of Flink. */
export const workersMax = 6
/** Each has four ports, which lie behind those of the brokers. */
export const taskManagersMax = 4

/** Every port of an installation, counted from one base so that two installations can run side by side. */
export type Ports = ReturnType<typeof portsFrom>

export function portsFrom(base: number) {
  return {
    gateway: (instance: number) => base + instance - 1,
    kafkaClient: (node: number) => base + 10 + node,
    kafkaClientProxy: (node: number) => base + 13 + node,
    kafkaInterBroker: (node: number) => base + 20 + node,
    kafkaInterBrokerProxy: (node: number) => base + 23 + node,
    kafkaController: (node: number) => base + 30 + node,
    kafkaControllerProxy: (node: number) => base + 33 + node,
    kafkaMetrics: (node: number) => base + 40 + node,
    registry: base + 51,
    registryManagement: base + 52,
    worker: (instance: number) => base + 53 + instance,
    registryProxy: base + 53,
    flinkWeb: base + 61,
    flinkSqlGateway: base + 62,
    flinkMetrics: base + 63,
    flinkJobManager: base + 64,
    flinkBlobs: base + 65,
    flinkMetricsQuery: base + 66,
    taskManager: (instance: number) => base + 16 + instance,
    taskManagerData: (instance: number) => base + 26 + instance,
    taskManagerMetricsQuery: (instance: number) => base + 36 + instance,
    taskManagerMetrics: (instance: number) => base + 43 + instance,
    connect: base + 71,
    connectMetrics: base + 72,
    warehouse: base + 75,
    monitor: base + 81,
    prometheus: base + 90,
    alertmanager: base + 93,
  } as const
}

/**
 * Makes sure that nobody listens on a port.
 * @throws MillraceError `stack.failed` naming the port, who wants it and the way out.
 */
export async function requireFreePort(port: number, wantedBy: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const probe = createServer()
  probe.once('error', reject)
  probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(undefined)))
  try {
    await promise
  } catch (cause) {
    throw new MillraceError(
      'stack.failed',
      `port ${port}, which ${wantedBy} needs, is taken: stop what listens there, or choose other ports with --port-base`,
      { cause },
    )
  }
}
