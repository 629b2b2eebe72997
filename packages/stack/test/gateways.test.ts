import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { definePlatform } from '@millrace/core/platform'
import { type Installation, openInstallation } from '../src/installation.ts'
import { partsOf } from '../src/parts.ts'
import { gatewayServers } from '../src/servers/gateway.ts'
import { fakeJavaHome } from './fake-java.ts'

let state: string

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'gateways-'))
  onTestFinished(() => rm(state, { recursive: true }))
})

async function open(gateways?: number): Promise<Installation> {
  return openInstallation({
    stateDirectory: join(state, 'state'),
    portBase: 20_000,
    brokers: 1,
    ...(gateways !== undefined && { gateways }),
    platform: definePlatform({ events: [] }),
    java: { javaHome: await fakeJavaHome(join(state, 'java'), '25'), path: '' },
  })
}

test('there is one gateway unless more are asked for', async () => {
  expect(gatewayServers(await open()).map(({ name }) => name)).toEqual(['gateway'])
})

test('each gateway is a server of its own: its name, its address, its settings', async () => {
  const servers = gatewayServers(await open(3))
  expect(servers.map(({ name, address }) => `${name} ${address}`)).toEqual([
    'gateway http://127.0.0.1:20000',
    'gateway-2 http://127.0.0.1:20001',
    'gateway-3 http://127.0.0.1:20002',
  ])
  for (const { prepare } of servers) await prepare?.()
  const settings = await Promise.all(servers.map(({ command }) => readFile(command.arguments.at(-1) ?? '', 'utf8')))
  expect(settings.map((text) => /"port": (\d+)/.exec(text)?.[1])).toEqual(['20000', '20001', '20002'])
})

test('the definition is applied when every gateway is ready', async () => {
  const { parts } = await partsOf(await open(2), () => undefined)
  expect(parts.find(({ name }) => name === 'definition')?.dependsOn).toEqual(
    expect.arrayContaining(['gateway', 'gateway-2']),
  )
})
