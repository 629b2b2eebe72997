import type { Installation } from './installation.ts'
import type { ServerSpec, TaskSpec } from './server.ts'
import { connectServer } from './servers/connect.ts'
import { faultServers } from './servers/fault-proxy.ts'
import { flinkServers } from './servers/flink.ts'
import { gatewayName, gatewayServers } from './servers/gateway.ts'
import { brokerName } from './broker-name.ts'
import { kafkaServers } from './servers/kafka.ts'
import { monitorServer } from './servers/monitor.ts'
import { monitoringServers } from './servers/prometheus.ts'
import { registryServer } from './servers/registry.ts'
import { warehouseServer } from './servers/warehouse.ts'
import { workerServers } from './servers/worker.ts'
import { applyDefinition, applyEventTypes, applyFoundation, resumeJobs } from './world.ts'

/** Every server and task of the platform on one machine, and what of it is not installed here. */
export async function partsOf(
  installation: Installation,
  note: (sentence: string) => void,
): Promise<{ parts: (ServerSpec | TaskSpec)[]; missing: readonly string[] }> {
  const monitoring = await monitoringServers(installation)
  const flink = flinkServers(installation, () => resumeJobs(installation, note))
  const definition: TaskSpec = {
    kind: 'task',
    name: 'definition',
    dependsOn: [
      ...['registry', 'connect', 'warehouse-double'],
      ...installation.gatewayInstances.map(gatewayName),
      ...flink.map(({ name }) => name),
    ],
    run: () => applyDefinition(installation, note),
  }
  const parts = [
    ...brokerParts(installation),
    registryServer(installation),
    warehouseServer(installation),
    ...flink,
    connectServer(installation),
    ...gatewayServers(installation),
    monitorServer(installation),
    definition,
    ...workerServers(installation),
    ...monitoring.servers,
  ]
  return { parts, missing: monitoring.missing }
}

/** What takes events in, and no more: brokers, registry, gateways, and the definition's event types. */
export function publishingParts(installation: Installation): (ServerSpec | TaskSpec)[] {
  const gateways = gatewayServers(installation)
  const eventTypes: TaskSpec = {
    kind: 'task',
    name: 'event types',
    dependsOn: gateways.map(({ name }) => name),
    run: () => applyEventTypes(installation),
  }
  return [...brokerParts(installation), registryServer(installation), ...gateways, eventTypes]
}

/** Kafka alone: the brokers, and what clients need there. */
export function brokerParts(installation: Installation): (ServerSpec | TaskSpec)[] {
  return [...faultServers(installation), ...kafkaServers(installation), foundation(installation)]
}

function foundation(installation: Installation): TaskSpec {
  return {
    kind: 'task',
    name: 'foundation',
    dependsOn: installation.brokerNodes.map(brokerName),
    run: () => applyFoundation(installation),
  }
}
