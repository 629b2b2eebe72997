import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { definePlatform } from '@millrace/core/platform'
import { checkpointDirectory } from '../src/flink-checkpoints.ts'
import { type Installation, type InstallationOptions, openInstallation } from '../src/installation.ts'
import { partsOf } from '../src/parts.ts'
import type { ServerSpec } from '../src/server.ts'
import { flinkServers } from '../src/servers/flink.ts'
import { fakeJavaHome } from './fake-java.ts'

let state: string

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'flink-'))
  onTestFinished(() => rm(state, { recursive: true }))
})

async function open(options: Pick<InstallationOptions, 'flink' | 'taskManagers'> = {}): Promise<Installation> {
  return openInstallation({
    stateDirectory: join(state, 'state'),
    portBase: 20_000,
    brokers: 1,
    ...options,
    platform: definePlatform({ events: [] }),
    java: { javaHome: await fakeJavaHome(join(state, 'java'), '25'), path: '' },
  })
}

const resume = () => Promise.resolve()
const serversOf = async (options: Parameters<typeof open>[0]) => flinkServers(await open(options), resume)
const clusterOf2 = ['flink-jobmanager', 'flink-taskmanager-1', 'flink-taskmanager-2', 'flink-sql-gateway']

describe('Flink', () => {
  test.each([
    [{}, ['flink']],
    [{ flink: 'embedded' }, ['flink']],
    [{ flink: 'cluster' }, clusterOf2],
    [{ flink: 'cluster', taskManagers: 2 }, clusterOf2],
    [{ flink: 'cluster', taskManagers: 1 }, clusterOf2.toSpliced(2, 1)],
  ] as const)('with %j is %j', async (options, names) => {
    expect((await serversOf(options)).map(({ name }) => name)).toEqual(names)
  })

  test('in one process has no TaskManagers to choose', async () => {
    await expect(open({ taskManagers: 2 })).rejects.toMatchObject({ code: 'config.invalid' })
  })

  test.each([
    ['embedded', 'cluster'],
    ['cluster', 'embedded'],
  ] as const)(
    'keeps away from a folder with the checkpoints of jobs that ran %s when it is %s',
    async (first, other) => {
      const { layout } = await open({ flink: first })
      await mkdir(checkpointDirectory(layout, first), { recursive: true })
      await expect(open({ flink: other })).resolves.toMatchObject({ flink: other })
      await mkdir(join(checkpointDirectory(layout, first), 'spend-per-customer'))
      await expect(open({ flink: other })).rejects.toThrow(`start it with --flink ${first}, choose another folder`)
      await expect(open({ flink: first })).resolves.toMatchObject({ flink: first })
    },
  )

  test.each(['embedded', 'cluster'] as const)('%s is there before the definition is applied to it', async (flink) => {
    const { parts } = await partsOf(await open({ flink }), () => undefined)
    const names = (await serversOf({ flink })).map(({ name }) => name)
    expect(parts.map(({ name }) => name)).toEqual(expect.arrayContaining(names))
    expect(parts.find(({ name }) => name === 'definition')?.dependsOn).toEqual(expect.arrayContaining(names))
  })
})

describe('the servers of a cluster', () => {
  const optionOf = ({ command }: ServerSpec, option: RegExp) =>
    command.arguments.flatMap((word) => option.exec(word)?.[1] ?? [])

  test('have ports of their own', async () => {
    const ports = (await serversOf({ flink: 'cluster', taskManagers: 4 })).flatMap((server) => server.ports)
    expect(new Set(ports).size).toBe(ports.length)
    expect(ports).toHaveLength(5 + 4 * 4 + 1)
  })

  test('are told what they listen on, and nothing else', async () => {
    const installation = await open({ flink: 'cluster' })
    const servers = flinkServers(installation, resume)
    const opened = new Map<string, (string | undefined)[]>([
      ['flink-jobmanager', ['rest.port', 'jobmanager.rpc.port', 'blob.server.port']],
      ['flink-taskmanager-1', ['taskmanager.rpc.port', 'taskmanager.data.port']],
      ['flink-taskmanager-2', ['taskmanager.rpc.port', 'taskmanager.data.port']],
      ['flink-sql-gateway', ['sql-gateway.endpoint.rest.port']],
    ])
    const metrics = ['metrics.reporter.prometheus.port', 'metrics.internal.query-service.port']
    for (const server of servers) {
      await server.prepare?.()
      const text = await readFile(join(installation.layout.configuration, server.name, 'config.yaml'), 'utf8')
      const names = [...(opened.get(server.name) ?? []), ...(server.ports.length > 1 ? metrics : [])]
      const told = names.map((name) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1]))
      expect(told.toSorted()).toEqual(server.ports.toSorted())
    }
  })

  test('are small, and share no archive, no temporary folder and no configuration', async () => {
    const servers = await serversOf({ flink: 'cluster' })
    expect(servers.flatMap((server) => optionOf(server, /^-Xmx(\d+)m$/))).toEqual(['320', '512', '512', '320'])
    const writers = servers.filter(({ command }) => command.arguments.includes('-XX:+AutoCreateSharedArchive'))
    expect(writers.map(({ name }) => name)).toEqual(clusterOf2.toSpliced(2, 1))
    expect(new Set(servers.flatMap((server) => optionOf(server, /^-XX:SharedArchiveFile=(.+)$/))).size).toBe(3)
    for (const option of [/^-Djava\.io\.tmpdir=(.+)$/, /^-Djava\.security\.auth\.login\.config=(.+)$/]) {
      expect(new Set(servers.flatMap((server) => optionOf(server, option))).size).toBe(servers.length)
    }
    expect(new Set(servers.map(({ command }) => command.environment?.['FLINK_CONF_DIR'])).size).toBe(servers.length)
  })

  test('clear away what the process before left, and a TaskManager is another one for the JobManager', async () => {
    const installation = await open({ flink: 'cluster' })
    const server = flinkServers(installation, resume).find(({ name }) => name === 'flink-taskmanager-1')
    const temporary = join(installation.layout.temporary, 'flink-taskmanager-1')
    const idOf = async () => {
      await server?.prepare?.()
      const file = join(installation.layout.configuration, 'flink-taskmanager-1', 'config.yaml')
      return /^taskmanager\.resource-id: "(flink-taskmanager-1-.+)"$/m.exec(await readFile(file, 'utf8'))?.[1]
    }
    const first = await idOf()
    await writeFile(join(temporary, 'library.so'), '')
    expect(await idOf()).not.toBe(first)
    expect(first).toBeDefined()
    expect(await readdir(temporary)).toEqual([])
  })

  test('end before the brokers, at which their jobs end transactions', async () => {
    for (const { uses } of await serversOf({ flink: 'cluster' })) expect(uses).toEqual(['kafka-1'])
  })

  test('lose jobs with the JobManager alone', async () => {
    const restoring = (await serversOf({ flink: 'cluster' })).filter(({ restored }) => restored !== undefined)
    expect(restoring.map(({ name }) => name)).toEqual(['flink-jobmanager'])
  })
})
