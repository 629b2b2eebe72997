import { join, resolve } from 'node:path'
import { MillraceError } from '@millrace/core/errors'
import type { Installation } from '../installation.ts'
import { projectDirectory } from '../layout.ts'
import { nodeProgram } from '../node-program.ts'
import { httpProbe } from '../probe.ts'
import type { ServerSpec } from '../server.ts'
import { registryUrl } from './registry.ts'

/** `worker`, `worker-2`, `worker-3`, … */
export function workerName(instance: number): string {
  return instance === 1 ? 'worker' : `worker-${instance}`
}

/**
 * What runs the definition's handlers, as many times as the installation has workers; none where there are no handlers.
 * @throws MillraceError 'stack.failed' when it is not known where the handlers are
 */
export function workerServers(installation: Installation): ServerSpec[] {
  const { workerInstances, platformFile } = installation
  if (workerInstances.length === 0) return []
  if (platformFile === undefined) {
    throw new MillraceError('stack.failed', 'the definition has handlers, so its file must be named (platformFile)')
  }
  return workerInstances.map((instance) => workerServer(installation, instance, resolve(platformFile)))
}

function workerServer(installation: Installation, instance: number, definitionFile: string): ServerSpec {
  const { layout, ports, secrets, certificates, bootstrapServers } = installation
  const name = workerName(instance)
  const port = ports.worker(instance)
  const url = `http://127.0.0.1:${port}`
  return {
    kind: 'server',
    name,
    dependsOn: ['definition'],
    address: `${url}/metrics`,
    ports: [port],
    ...nodeProgram(layout, name, join(projectDirectory, 'apps/worker/src/main.ts'), () => ({
      host: '127.0.0.1',
      port,
      definitionFile,
      instance: name,
      kafka: {
        bootstrapServers,
        caFile: certificates.caFile,
        username: 'worker',
        password: secrets.kafkaPassword('worker'),
        clientId: `millrace-${name}`,
      },
      registry: {
        url: registryUrl(installation),
        caFile: certificates.caFile,
        username: 'reader',
        password: secrets.registryPassword('reader'),
      },
      schemaSnapshotFile: join(layout.data, `${name}-schemas.json`),
      sealingKeysFile: secrets.sealingKeysFile,
    })),
    probe: httpProbe(`${url}/health/ready`),
  }
}
