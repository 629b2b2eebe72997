import type { Installation } from './installation.ts'
import type { ServerSpec, TaskSpec } from './server.ts'
import { connectServer } from './servers/connect.ts'
import { flinkServer } from './servers/flink.ts'
import { gatewayServer } from './servers/gateway.ts'
import { brokerName } from './broker-name.ts'
import { kafkaServers } from './servers/kafka.ts'
import { monitorServer } from './servers/monitor.ts'
import { monitoringServers } from './servers/prometheus.ts'
import { registryServer } from './servers/registry.ts'
import { warehouseServer } from './servers/warehouse.ts'
import { applyDefinition, applyFoundation } from './world.ts'
import type { Change } from '@millrace/reconcile/change'

/** Every server and task of the platform on one machine, and what of it is not installed here. */
export async function partsOf(
  installation: Installation,
  report: (change: Change) => void,
): Promise<{ parts: (ServerSpec | TaskSpec)[]; missing: readonly string[] }> {
  const monitoring = await monitoringServers(installation)
  const foundation: TaskSpec = {
    kind: 'task',
    name: 'foundation',
    dependsOn: installation.brokerNodes.map(brokerName),
    run: () => applyFoundation(installation),
  }
  const definition: TaskSpec = {
    kind: 'task',
    name: 'definition',
    dependsOn: ['registry', 'gateway', 'flink', 'connect', 'warehouse-double'],
    run: () => applyDefinition(installation, report),
  }
  const parts = [
    ...kafkaServers(installation),
    foundation,
    registryServer(installation),
    warehouseServer(installation),
    flinkServer(installation, () => applyDefinition(installation, report)),
    connectServer(installation),
    gatewayServer(installation),
    monitorServer(installation),
    definition,
    ...monitoring.servers,
  ]
  return { parts, missing: monitoring.missing }
}
