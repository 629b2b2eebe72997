import { join } from 'node:path'
import type { Installation } from '../installation.ts'
import { projectDirectory } from '../layout.ts'
import { nodeProgram } from '../node-program.ts'
import { httpProbe } from '../probe.ts'
import type { ServerSpec } from '../server.ts'
import { tokenAudience, tokenIssuer } from '../token.ts'
import { registryUrl } from './registry.ts'

export function gatewayUrl({ ports }: Installation): string {
  return `http://127.0.0.1:${ports.gateway}`
}

/** The HTTP and WebSocket API. */
export function gatewayServer(installation: Installation): ServerSpec {
  const { layout, ports, secrets, certificates, bootstrapServers } = installation
  const url = gatewayUrl(installation)
  return {
    kind: 'server',
    name: 'gateway',
    dependsOn: ['registry'],
    address: url,
    ports: [ports.gateway],
    ...nodeProgram(layout, 'gateway', join(projectDirectory, 'apps/gateway/src/main.ts'), () => ({
      host: '127.0.0.1',
      port: ports.gateway,
      kafka: {
        bootstrapServers,
        caFile: certificates.caFile,
        username: 'gateway',
        password: secrets.kafkaPassword('gateway'),
        clientId: 'millrace-gateway',
      },
      registry: {
        url: registryUrl(installation),
        caFile: certificates.caFile,
        username: 'gateway',
        password: secrets.registryPassword('gateway'),
      },
      tokens: { issuer: tokenIssuer, audience: tokenAudience, jwksFile: secrets.jwksFile },
    })),
    probe: httpProbe(`${url}/health/ready`),
  }
}
