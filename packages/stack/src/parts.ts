import type { Installation } from './installation.ts'
import type { ServerSpec, TaskSpec } from './server.ts'
import { connectServer } from './servers/connect.ts'
import { flinkServer } from './servers/flink.ts'
import { gatewayServer } from './servers/gateway.ts'
import { brokerName, kafkaServers } from './servers/kafka.ts'
import { monitorServer } from './servers/monitor.ts'
import { monitoringServers } from './servers/prometheus.ts'
import { registryServer } from './servers/registry.ts'
import { warehouseServer } from './servers/warehouse.ts'
import type { World } from './world.ts'

/** Every server and task of the platform on one machine, and what of it is not installed here. */
export async function partsOf(
  installation: Installation,
  world: World,
): Promise<{ parts: (ServerSpec | TaskSpec)[]; missing: readonly string[] }> {
  const monitoring = await monitoringServers(installation)
  const foundation: TaskSpec = {
    kind: 'task',
    name: 'foundation',
    dependsOn: installation.brokerNodes.map(brokerName),
    run: () => world.applyFoundation(),
  }
  const definition: TaskSpec = {
    kind: 'task',
    name: 'definition',
    dependsOn: ['registry', 'gateway', 'flink', 'connect', 'warehouse-double'],
    run: () => world.applyDefinition(),
  }
  const parts = [
    ...kafkaServers(installation),
    foundation,
    registryServer(installation),
    warehouseServer(installation),
    flinkServer(installation, () => world.applyDefinition()),
    connectServer(installation),
    gatewayServer(installation),
    monitorServer(installation),
    definition,
    ...monitoring.servers,
  ]
  return { parts, missing: monitoring.missing }
}
