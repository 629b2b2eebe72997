import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { definePlatform } from '@millrace/core/platform'
import { configSchema } from '@millrace/faults/config'
import { brokerDisk } from '../src/broker-disks.ts'
import { type Installation, openInstallation } from '../src/installation.ts'
import { partsOf } from '../src/parts.ts'
import { properties } from '../src/properties.ts'
import { faultServers } from '../src/servers/fault-proxy.ts'
import { brokerSettings } from '../src/servers/kafka.ts'
import { formatDisks } from '../src/servers/kafka-format.ts'
import { registryUrl } from '../src/servers/registry.ts'
import { fakeJavaHome } from './fake-java.ts'

let state: string

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'brokers-'))
  onTestFinished(() => rm(state, { recursive: true }))
})

async function open(brokers: 1 | 3, faults?: boolean): Promise<Installation> {
  return openInstallation({
    stateDirectory: join(state, 'state'),
    portBase: 20_000,
    brokers,
    ...(faults !== undefined && { faults }),
    platform: definePlatform({ events: [] }),
    java: { javaHome: await fakeJavaHome(join(state, 'java'), '25'), path: '' },
  })
}

async function format(installation: Installation): Promise<void> {
  const settingsFile = (node: number) => join(installation.layout.configuration, `kafka-${node}.properties`)
  for (const node of installation.brokerNodes) {
    await writeFile(settingsFile(node), properties(brokerSettings(installation, node)))
  }
  await formatDisks(installation, settingsFile)
}

/** What a broker makes of its disk when it begins. */
async function run(installation: Installation): Promise<void> {
  await format(installation)
  for (const node of installation.brokerNodes) {
    await mkdir(join(brokerDisk(installation.layout, node), '__cluster_metadata-0'))
  }
}

const metaOf = ({ layout }: Installation, node: number) =>
  readFile(join(brokerDisk(layout, node), 'meta.properties'), 'utf8')

describe("a broker's settings", () => {
  test('have no listener without TLS, and name no protocol but SASL_SSL and, between controllers, mutual TLS', async () => {
    const settings = brokerSettings(await open(3), 2)
    expect(JSON.stringify(settings)).not.toContain('PLAINTEXT')
    expect(settings['listener.security.protocol.map']).toBe('CLIENT:SASL_SSL,BROKER:SASL_SSL,CONTROLLER:SSL')
    expect(settings['listener.name.controller.ssl.client.auth']).toBe('required')
    for (const listener of String(settings['listeners']).split(',')) {
      expect(listener).toMatch(/^(CLIENT|BROKER|CONTROLLER):\/\/127\.0\.0\.1:\d+$/)
    }
    expect(settings['sasl.enabled.mechanisms']).toBe('SCRAM-SHA-512')
  })

  test('deny what no ACL allows, to all but the admin and the brokers themselves', async () => {
    const settings = brokerSettings(await open(3), 1)
    expect(settings['authorizer.class.name']).toBe('org.apache.kafka.metadata.authorizer.StandardAuthorizer')
    expect(settings['allow.everyone.if.no.acl.found']).toBe(false)
    expect(settings['super.users']).toBe('User:admin;User:broker;User:kafka-1;User:kafka-2;User:kafka-3')
    expect(settings['auto.create.topics.enable']).toBe(false)
  })

  test.each([
    [3, 3, 2],
    [1, 1, 1],
  ] as const)('with %i brokers keep %i copies, %i of them in sync', async (brokers, copies, inSync) => {
    const settings = brokerSettings(await open(brokers), 1)
    const factors = Object.entries(settings).filter(([name]) => name.endsWith('replication.factor'))
    expect(factors.map(([, value]) => value)).toEqual(factors.map(() => copies))
    expect(settings['min.insync.replicas']).toBe(inSync)
    expect(settings['transaction.state.log.min.isr']).toBe(inSync)
    expect(settings['unclean.leader.election.enable']).toBe(false)
  })
})

describe('the fault proxy', () => {
  const listenersOf = (settings: Record<string, unknown>) => [
    settings['listeners'],
    settings['advertised.listeners'],
    settings['controller.quorum.voters'],
  ]

  test('is not there unless it is asked for: brokers are reached where they listen', async () => {
    const installation = await open(3)
    expect(faultServers(installation)).toEqual([])
    expect(listenersOf(brokerSettings(installation, 2))).toEqual([
      'CLIENT://127.0.0.1:20012,BROKER://127.0.0.1:20022,CONTROLLER://127.0.0.1:20032',
      'CLIENT://127.0.0.1:20012,BROKER://127.0.0.1:20022',
      '1@127.0.0.1:20031,2@127.0.0.1:20032,3@127.0.0.1:20033',
    ])
    expect(installation.bootstrapServers).toEqual(['127.0.0.1:20011', '127.0.0.1:20012', '127.0.0.1:20013'])
  })

  test('stands before everything that a broker tells others of itself, while the broker listens where it did', async () => {
    const installation = await open(3, true)
    expect(listenersOf(brokerSettings(installation, 2))).toEqual([
      'CLIENT://127.0.0.1:20012,BROKER://127.0.0.1:20022,CONTROLLER://127.0.0.1:20032',
      'CLIENT://127.0.0.1:20015,BROKER://127.0.0.1:20025,CONTROLLER://127.0.0.1:20035',
      '1@127.0.0.1:20034,2@127.0.0.1:20035,3@127.0.0.1:20036',
    ])
    expect(installation.bootstrapServers).toEqual(['127.0.0.1:20014', '127.0.0.1:20015', '127.0.0.1:20016'])
    expect(registryUrl(installation, installation.reached)).toContain(':20053/')
  })

  test('leads to each listener of each broker and to the registry, and runs before they are reached', async () => {
    const installation = await open(3, true)
    const [proxy] = faultServers(installation)
    await proxy?.prepare?.()
    const text = await readFile(proxy?.command.arguments.at(-1) ?? '', 'utf8')
    const { controlSocket, listeners } = configSchema.parse(JSON.parse(text))
    expect(controlSocket).toBe(join(installation.layout.run, 'faults.sock'))
    expect(listeners).toContainEqual({ name: 'kafka-1 CLIENT', port: 20_014, targetPort: 20_011 })
    expect(listeners).toContainEqual({ name: 'kafka-3 CONTROLLER', port: 20_036, targetPort: 20_033 })
    expect(listeners).toContainEqual({ name: 'registry', port: 20_053, targetPort: 20_051 })
    expect(proxy?.ports).toHaveLength(10)
    const { parts } = await partsOf(installation, () => undefined)
    for (const name of ['kafka-1', 'kafka-2', 'kafka-3', 'gateway']) {
      expect(parts.find((part) => part.name === name)?.dependsOn).toContain('fault-proxy')
    }
  })
})

describe('the disks of the brokers', () => {
  test('are of one cluster, each with its own number and id; no password is on a command line or left in a file', async () => {
    const installation = await open(3)
    await format(installation)
    const metas = await Promise.all([1, 2, 3].map((node) => metaOf(installation, node)))
    metas.forEach((meta, index) => {
      expect(meta).toContain(`cluster.id=${installation.secrets.clusterId}\n`)
      expect(meta).toContain(`node.id=${index + 1}\n`)
    })
    expect(new Set(metas.map((meta) => /directory\.id=(.*)/.exec(meta)?.[1])).size).toBe(3)
    const commandLine = await readFile(join(brokerDisk(installation.layout, 1), 'bootstrap.checkpoint'), 'utf8')
    expect(commandLine).not.toContain(installation.secrets.kafkaPassword('admin'))
    expect(await readdir(installation.layout.secrets)).not.toContain('format.args')
  })

  test('that hold data are never formatted again', async () => {
    const installation = await open(3)
    await run(installation)
    const before = await metaOf(installation, 2)
    await format(installation)
    expect(await metaOf(installation, 2)).toBe(before)
  })

  test('whose formatting was broken off are formatted anew', async () => {
    const installation = await open(3)
    await format(installation)
    await rm(brokerDisk(installation.layout, 3), { recursive: true })
    await rm(join(brokerDisk(installation.layout, 1), 'bootstrap.checkpoint'))
    await format(await open(3))
    expect(await metaOf(installation, 3)).toContain('node.id=3')
    expect(await readdir(brokerDisk(installation.layout, 1))).toContain('bootstrap.checkpoint')
  })
})

describe('a state folder of an earlier start', () => {
  test.each([
    [
      1,
      3,
      /data of 1 broker, which 3 cannot take over: start it with --brokers 1, .* --state, or .*npx millrace down --wipe/,
    ],
    [3, 1, /data of 3 brokers, which 1 cannot take over: start it with --brokers 3/],
  ] as const)('with %i brokers is refused to %i, and left as it is', async (before, now, sentence) => {
    const installation = await open(before)
    await run(installation)
    const authority = await readFile(installation.certificates.caFile, 'utf8')
    await expect(open(now)).rejects.toThrow(sentence)
    expect(await readFile(installation.certificates.caFile, 'utf8')).toBe(authority)
    await expect(open(before)).resolves.toBeDefined()
  })

  test('that only got as far as formatting serves any number of brokers', async () => {
    await format(await open(1))
    const installation = await open(3)
    await format(installation)
    expect(await metaOf(installation, 3)).toContain('node.id=3')
  })

  test('that lost its secrets is refused with the way out, and opens again with them', async () => {
    const installation = await open(1)
    await run(installation)
    const { layout } = installation
    await cp(layout.secrets, join(state, 'kept'), { recursive: true })
    await rm(layout.secrets, { recursive: true })
    await expect(open(1)).rejects.toThrow(
      /was made with other secrets than those in .*: put its secrets back, or delete the data/,
    )
    await rm(layout.secrets, { recursive: true })
    await cp(join(state, 'kept'), layout.secrets, { recursive: true })
    await expect(open(1)).resolves.toBeDefined()
  })
})
