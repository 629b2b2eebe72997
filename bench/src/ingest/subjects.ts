/** What is measured: how it is started, and how load is put on it. */
import { fileURLToPath } from 'node:url'
import type { Installation } from '@millrace/stack/installation'
import { nodeProgram } from '@millrace/stack/node-program'
import { gatewayUrl } from '@millrace/stack/servers/gateway'
import type { ServerSpec } from '@millrace/stack/server'
import { mintToken } from '@millrace/stack/token'
import { benthosServer } from './benthos.ts'
import { bodiesOf } from './bodies.ts'
import { batchEvents, type Mode, requestTemplate } from './events.ts'
import { openHttpLoad } from './http-load.ts'
import { kafkaSettingsFor } from '../kafka-settings.ts'
import { type Load, loadResult, type LoadResult, putLoad } from './load.ts'
import { formatOf, type SubjectName, topicOf } from './platform.ts'

export type Subject = {
  readonly name: SubjectName
  /** The server whose process is measured. */
  readonly server: string
  readonly put: (mode: Mode, load: Load) => Promise<LoadResult>
  readonly close: () => void
}

const connections = { single: 64, batch: 8 } as const
const tokenTtlSeconds = 7_200
/** Who talks to Kafka itself has what the gateway may do. */
const kafkaUser = 'gateway'

/** The ports that a stack with one gateway leaves free for others. */
function portsOf({ ports }: Installation) {
  const [validating, bare, direct] = [ports.gateway(2), ports.gateway(3), ports.gateway(4)]
  const benthos = { single: ports.gateway(5), batch: ports.gateway(6), management: ports.gateway(7) }
  return { validating, bare, direct, benthos }
}

/** The servers beside the gateway's own. */
export function subjectServers(installation: Installation, benthosProgram: string | undefined): ServerSpec[] {
  const ports = portsOf(installation)
  return [
    controlServer(installation, 'validating', ports.validating, true),
    controlServer(installation, 'bare', ports.bare, false),
    directServer(installation, ports.direct),
    ...(benthosProgram === undefined ? [] : [benthosServer(installation, benthosProgram, ports.benthos)]),
  ]
}

/** The subjects, once their servers run. */
export async function openSubjects(installation: Installation, withBenthos: boolean): Promise<Subject[]> {
  const ports = portsOf(installation)
  const gatewayPort = Number(new URL(gatewayUrl(installation)).port)
  const claims = { subject: 'bench', scopes: ['events:write:bench.*'], ttlSeconds: tokenTtlSeconds }
  const authorization = `authorization: Bearer ${await mintToken(installation.secrets, claims)}\r\n`
  const same = (port: number) => ({ single: port, batch: port })
  return [
    ...(['millrace', 'millrace-avro', 'millrace-protobuf'] as const).map((name) =>
      httpSubject(name, 'gateway', same(gatewayPort), '/v1/events', authorization),
    ),
    ...(withBenthos ? [httpSubject('benthos', 'benthos', ports.benthos, '/post')] : []),
    httpSubject('validating', 'validating', same(ports.validating), '/'),
    httpSubject('bare', 'bare', same(ports.bare), '/'),
    directSubject(ports.direct),
  ]
}

function httpSubject(
  name: SubjectName,
  server: string,
  ports: Readonly<Record<Mode, number>>,
  path: string,
  headers = '',
): Subject {
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}`
  const loadOf = (mode: Mode) =>
    openHttpLoad(
      { port: ports[mode], connections: connections[mode] },
      bodiesOf(requestTemplate(head, topicOf(name), formatOf(name), mode)),
      mode === 'single' ? 1 : batchEvents,
    )
  const loads = { single: loadOf('single'), batch: loadOf('batch') }
  return {
    name,
    server,
    put: (mode, load) => putLoad(loads[mode].send, load),
    close: () => {
      for (const load of Object.values(loads)) load.close()
    },
  }
}

function directSubject(port: number): Subject {
  return {
    name: 'direct',
    server: 'direct',
    put: async (mode, load) => {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON.stringify({ mode, load }) })
      return loadResult.parse(await answer.json())
    },
    close: () => undefined,
  }
}

/** As many bodies under way as the subjects take by HTTP have connections. */
export function concurrencyOf(mode: Mode): number {
  return connections[mode]
}

function controlServer(installation: Installation, name: SubjectName, port: number, validate: boolean): ServerSpec {
  const settings = () => ({
    port,
    topic: topicOf(name),
    validate,
    kafka: kafkaSettingsFor(installation, `bench-${name}`, kafkaUser),
  })
  return ownServer(installation, name, port, 'control-main.ts', settings)
}

function directServer(installation: Installation, port: number): ServerSpec {
  const settings = () => ({
    port,
    topic: topicOf('direct'),
    kafka: kafkaSettingsFor(installation, 'bench-direct', kafkaUser),
  })
  return ownServer(installation, 'direct', port, 'direct-main.ts', settings)
}

function ownServer(
  { layout }: Installation,
  name: string,
  port: number,
  program: string,
  settings: () => unknown,
): ServerSpec {
  const address = `http://127.0.0.1:${port}`
  return {
    kind: 'server',
    name,
    dependsOn: ['event types'],
    address,
    ports: [port],
    ...nodeProgram(layout, name, fileURLToPath(new URL(program, import.meta.url)), settings),
    probe: async () => (await fetch(address, { method: 'HEAD' })).status > 0,
  }
}
