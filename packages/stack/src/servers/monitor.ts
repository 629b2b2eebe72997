import { join } from 'node:path'
import type { Installation } from '../installation.ts'
import { projectDirectory } from '../layout.ts'
import { nodeProgram } from '../node-program.ts'
import { httpProbe } from '../probe.ts'
import type { ServerSpec } from '../server.ts'

function monitorUrl({ ports }: Installation): string {
  return `http://127.0.0.1:${ports.monitor}`
}

/** The exporter of consumer lag, in messages and in seconds. */
export function monitorServer(installation: Installation): ServerSpec {
  const { layout, ports, secrets, certificates, bootstrapServers } = installation
  return {
    kind: 'server',
    name: 'monitor',
    dependsOn: ['foundation'],
    address: `${monitorUrl(installation)}/metrics`,
    ports: [ports.monitor],
    ...nodeProgram(layout, 'monitor', join(projectDirectory, 'apps/monitor/src/main.ts'), () => ({
      host: '127.0.0.1',
      port: ports.monitor,
      kafka: {
        bootstrapServers,
        caFile: certificates.caFile,
        username: 'monitor',
        password: secrets.kafkaPassword('monitor'),
        clientId: 'millrace-monitor',
      },
    })),
    probe: httpProbe(`${monitorUrl(installation)}/health/ready`),
  }
}
