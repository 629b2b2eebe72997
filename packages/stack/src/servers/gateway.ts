import { join } from 'node:path'
import type { Installation } from '../installation.ts'
import { projectDirectory } from '../layout.ts'
import { nodeProgram } from '../node-program.ts'
import { httpProbe } from '../probe.ts'
import type { ServerSpec } from '../server.ts'
import { tokenAudience, tokenIssuer } from '../token.ts'
import { faultServers } from './fault-proxy.ts'
import { registryUrl } from './registry.ts'

/** The first instance where none is said. Any instance serves any request. */
export function gatewayUrl({ ports }: Pick<Installation, 'ports'>, instance = 1): string {
  return `http://127.0.0.1:${ports.gateway(instance)}`
}

/** `gateway`, `gateway-2`, `gateway-3`, … */
export function gatewayName(instance: number): string {
  return instance === 1 ? 'gateway' : `gateway-${instance}`
}

/** The HTTP and WebSocket API, as many times as the installation has gateways. */
export function gatewayServers(installation: Installation): ServerSpec[] {
  return installation.gatewayInstances.map((instance) => gatewayServer(installation, instance))
}

function gatewayServer(installation: Installation, instance: number): ServerSpec {
  const { layout, ports, secrets, certificates, bootstrapServers, replication } = installation
  const name = gatewayName(instance)
  const port = ports.gateway(instance)
  const url = gatewayUrl(installation, instance)
  return {
    kind: 'server',
    name,
    dependsOn: ['registry', ...faultServers(installation).map((proxy) => proxy.name)],
    address: url,
    ports: [port],
    ...nodeProgram(layout, name, join(projectDirectory, 'apps/gateway/src/main.ts'), () => ({
      host: '127.0.0.1',
      port,
      kafka: {
        bootstrapServers,
        caFile: certificates.caFile,
        username: 'gateway',
        password: secrets.kafkaPassword('gateway'),
        clientId: `millrace-${name}`,
      },
      registry: {
        url: registryUrl(installation, installation.reached),
        caFile: certificates.caFile,
        username: 'gateway',
        password: secrets.registryPassword('gateway'),
      },
      sealingKeysFile: secrets.sealingKeysFile,
      schemaSnapshotFile: join(layout.data, `${name}-schemas.json`),
      replication: replication.factor,
      tokens: { issuer: tokenIssuer, audience: tokenAudience, jwksFile: secrets.jwksFile },
    })),
    probe: httpProbe(`${url}/health/ready`),
  }
}
