import { join } from 'node:path'
import { openFaults } from '@millrace/faults/control-client'
import { brokerName } from '../broker-name.ts'
import type { Installation } from '../installation.ts'
import { projectDirectory } from '../layout.ts'
import { nodeProgram } from '../node-program.ts'
import type { ServerSpec } from '../server.ts'

export const faultProxyName = 'fault-proxy'

/** Where faults are ordered; nobody but the owner can reach it. */
export function faultSocket({ layout }: Pick<Installation, 'layout'>): string {
  return join(layout.run, 'faults.sock')
}

/** What a listener of the proxy is called that leads to a broker: `kafka-1 CLIENT`, as Kafka calls its own. */
export function faultListener(node: number, listener: 'CLIENT' | 'BROKER' | 'CONTROLLER'): string {
  return `${brokerName(node)} ${listener}`
}

/** The proxy through which brokers are reached, and the registry by gateways, where the installation has one. */
export function faultServers(installation: Installation): ServerSpec[] {
  if (!installation.faults) return []
  const { layout, ports, brokerNodes } = installation
  const controlSocket = faultSocket(installation)
  const listeners = [
    ...brokerNodes.flatMap((node) => [
      { name: faultListener(node, 'CLIENT'), port: ports.kafkaClientProxy(node), targetPort: ports.kafkaClient(node) },
      {
        name: faultListener(node, 'BROKER'),
        port: ports.kafkaInterBrokerProxy(node),
        targetPort: ports.kafkaInterBroker(node),
      },
      {
        name: faultListener(node, 'CONTROLLER'),
        port: ports.kafkaControllerProxy(node),
        targetPort: ports.kafkaController(node),
      },
    ]),
    { name: 'registry', port: ports.registryProxy, targetPort: ports.registry },
  ]
  return [
    {
      kind: 'server',
      name: faultProxyName,
      dependsOn: [],
      address: controlSocket,
      ports: listeners.map(({ port }) => port),
      ...nodeProgram(layout, faultProxyName, join(projectDirectory, 'packages/faults/src/main.ts'), () => ({
        controlSocket,
        listeners,
      })),
      probe: async () => {
        const faults = openFaults(controlSocket)
        try {
          return (await faults.count()) === 0
        } finally {
          await faults.close()
        }
      },
    },
  ]
}
