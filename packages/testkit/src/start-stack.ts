import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { javaEnvironment } from '@millrace/stack/environment'
import { writeClientProperties } from '@millrace/stack/kafka-client-settings'
import { projectDirectory } from '@millrace/stack/layout'
import { openStack } from '@millrace/stack/open-stack'
import { progress } from '@millrace/stack/progress'
import { gatewayUrl } from '@millrace/stack/servers/gateway'
import { registryUrl } from '@millrace/stack/servers/registry'
import type { TestProject } from 'vitest/node'
import type { StackFacts } from './fixture.ts'
import platform from './platform.ts'

const platformFile = fileURLToPath(new URL('./platform.ts', import.meta.url))
const stateDirectory = resolve(projectDirectory, '.millrace-test')
// eslint-disable-next-line no-restricted-properties -- the runner of the tests takes no options of ours; two checkouts may run theirs at once
const portBase = Number(process.env['MILLRACE_TEST_PORT_BASE'] ?? 27_000)

declare module 'vitest' {
  export interface ProvidedContext {
    stack: StackFacts
  }
}

/** Starts one fresh stack for all integration tests, tells them where it is, and stops it after the last one. */
export default async function startStack(project: TestProject): Promise<() => Promise<void>> {
  await rm(stateDirectory, { recursive: true, force: true })
  const { installation, stack } = await openStack(
    { stateDirectory, portBase, brokers: 3, gateways: 3, faults: true, platform, platformFile, java: javaEnvironment },
    progress((line) => process.stderr.write(`${line}\n`)),
  )
  await stack.start(new AbortController().signal)
  const { certificates, secrets, ports, bootstrapServers } = installation
  project.provide('stack', {
    stateDirectory,
    portBase,
    bootstrapServers: [...bootstrapServers],
    caFile: certificates.caFile,
    passwords: Object.fromEntries(
      ['admin', 'gateway', 'flink', 'connect', 'monitor', 'registry', 'worker', 'auditor'].map((user) => [
        user,
        secrets.kafkaPassword(user),
      ]),
    ),
    auditorProperties: await writeClientProperties(installation, 'auditor'),
    registryUrl: registryUrl(installation, installation.reached),
    registryPassword: secrets.registryPassword('admin'),
    gatewayUrl: gatewayUrl(installation),
    gatewayUrls: installation.gatewayInstances.map((instance) => gatewayUrl(installation, instance)),
    issuerKeyFile: secrets.issuerKeyFile,
    warehouseUrl: `http://127.0.0.1:${ports.warehouse}`,
    warehouseKeyFile: secrets.warehouseKeyFile,
    monitorUrl: `http://127.0.0.1:${ports.monitor}`,
    javaCommand: installation.java.command,
  })
  return () => stack.stop()
}
