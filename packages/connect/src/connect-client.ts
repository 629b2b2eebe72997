import { MillraceError } from '@millrace/core/errors'
import type { Connector } from './connector-config.ts'
import {
  countFailed,
  parseConfig,
  parseMessage,
  parseNames,
  parseStatus,
  type ConnectorStatus,
} from './connect-answer.ts'

export type ConnectOptions = {
  /** A worker's REST address. */
  readonly url: string
  /** The longest that one call may take. A worker that rebalances holds a call for up to 90 s. */
  readonly timeoutMs: number
}

/** Kafka Connect's REST API. Every call throws MillraceError `connect.unavailable` or `connect.refused`. */
export type ConnectClient = {
  connectors(): Promise<string[]>
  /** A connector's configuration as it was given, or `undefined` when there is none of that name. */
  config(name: string): Promise<Readonly<Record<string, string>> | undefined>
  /** Creates or changes a connector; where its configuration already is what it should be, nothing is restarted. */
  ensureConnector(connector: Connector): Promise<'created' | 'changed' | 'unchanged'>
  status(name: string): Promise<ConnectorStatus | undefined>
  /** Restarts the connector and its tasks where they failed, and returns how many had. */
  restartFailed(name: string): Promise<number>
  /** Whether there was one to delete. */
  deleteConnector(name: string): Promise<boolean>
}

/** A client of one Connect worker. It holds no connection. */
export function openConnect(options: ConnectOptions): ConnectClient {
  const call = (method: Method, path: string, body?: unknown) => request(options, method, path, body)
  const at = (name: string, rest = '') => `/connectors/${encodeURIComponent(name)}${rest}`
  const client: ConnectClient = {
    connectors: async () => parseNames((await call('GET', '/connectors')).body),
    config: async (name) => {
      const { status, body } = await call('GET', at(name, '/config'))
      return status === 404 ? undefined : parseConfig(body)
    },
    ensureConnector: async ({ name, config }) => {
      const current = await client.config(name)
      if (current && sameConfig(current, { ...config, name })) return 'unchanged'
      await call('PUT', at(name, '/config'), config)
      return current ? 'changed' : 'created'
    },
    status: async (name) => {
      const { status, body } = await call('GET', at(name, '/status'))
      return status === 404 ? undefined : parseStatus(body)
    },
    restartFailed: async (name) => {
      const failed = countFailed(await client.status(name))
      if (failed > 0) await call('POST', at(name, '/restart?includeTasks=true&onlyFailed=true'))
      return failed
    },
    deleteConnector: async (name) => (await call('DELETE', at(name))).status !== 404,
  }
  return client
}

function sameConfig(current: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  const names = new Set([...Object.keys(current), ...Object.keys(wanted)])
  return [...names].every((name) => current[name] === wanted[name])
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'
type Answer = { readonly status: number; readonly body: unknown }

async function request(options: ConnectOptions, method: Method, path: string, body: unknown): Promise<Answer> {
  try {
    const response = await fetch(new URL(path, options.url), {
      method,
      signal: AbortSignal.timeout(options.timeoutMs),
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return accepted(response.status, text === '' ? undefined : JSON.parse(text), `${method} ${path}`)
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause
    throw new MillraceError('connect.unavailable', `no answer from Kafka Connect at ${options.url}`, { cause })
  }
}

/** 404 means that there is no such connector, which is an answer; 409 that the workers are rebalancing. */
function accepted(status: number, body: unknown, what: string): Answer {
  if (status < 400 || status === 404) return { status, body }
  if (status === 409 || status >= 500) {
    throw new MillraceError('connect.unavailable', `Kafka Connect cannot do ${what} now: ${parseMessage(body)}`)
  }
  throw new MillraceError('connect.refused', `Kafka Connect refused ${what}: ${parseMessage(body)}`)
}
