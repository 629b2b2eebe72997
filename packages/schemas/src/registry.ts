import { MillraceError } from '@millrace/core/errors'
import type { Compatibility } from '@millrace/core/event-type'
import { isJsonObject, type JsonObject } from '@millrace/core/json'
import { Agent, fetch } from 'undici'

export type RegistryOptions = {
  /** The base of the Confluent-compatible API, as in `https://registry:8443/apis/ccompat/v7`. */
  readonly url: string
  readonly caPem: string
  readonly username: string
  readonly password: string
  readonly timeoutMs?: number
}

export type SchemaType = 'JSON' | 'AVRO' | 'PROTOBUF'
export type RegisteredSchema = {
  readonly id: number
  readonly version: number
  readonly type: SchemaType
  readonly schema: string
}

/**
 * A client of the Schema Registry, over TLS with basic authentication.
 * All throw MillraceError `registry.unavailable` when no answer came, `registry.refused` with the registry's own reason.
 * @see https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
export type Registry = {
  /** Registers a schema under a subject, or finds it there. Incompatible ones are refused. */
  readonly register: (subject: string, type: SchemaType, schema: string) => Promise<RegisteredSchema>
  /** The version of a subject that has exactly this schema, or `undefined`. */
  readonly lookUp: (subject: string, type: SchemaType, schema: string) => Promise<RegisteredSchema | undefined>
  readonly latest: (subject: string) => Promise<RegisteredSchema | undefined>
  readonly subjects: () => Promise<string[]>
  /** The compatibility of a subject, or of all that have none of their own. */
  readonly compatibility: (subject?: string) => Promise<string | undefined>
  readonly setCompatibility: (level: Compatibility, subject?: string) => Promise<void>
  readonly close: () => Promise<void>
}

const timeoutMsDefault = 10_000

type Call = (method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) => Promise<unknown>

export function openRegistry(options: RegistryOptions): Registry {
  // HTTP/1.1: over HTTP/2 Apicurio compresses its answers and labels them `content-encoding: identity`.
  const dispatcher = new Agent({ allowH2: false, connect: { ca: options.caPem } })
  const call: Call = (method, path, body) => request(options, dispatcher, method, path, body)
  const versionsOf = (subject: string) => `/subjects/${encodeURIComponent(subject)}/versions`
  const find = async (subject: string, type: SchemaType, schema: string) => {
    const body = { schema, schemaType: type }
    return registered(await call('POST', `/subjects/${encodeURIComponent(subject)}`, body))
  }
  return {
    register: async (subject, type, schema) => {
      await call('POST', versionsOf(subject), { schema, schemaType: type })
      const found = await find(subject, type, schema)
      if (!found) throw malformed('a registered schema')
      return found
    },
    lookUp: find,
    latest: async (subject) => registered(await call('GET', `${versionsOf(subject)}/latest`)),
    subjects: async () => {
      const answer = await call('GET', '/subjects')
      if (!Array.isArray(answer)) throw malformed('a list of subjects')
      return answer.map(String)
    },
    compatibility: async (subject) => {
      const answer = await call('GET', configPath(subject))
      return isJsonObject(answer) ? textOf(answer, 'compatibilityLevel') : undefined
    },
    setCompatibility: async (level, subject) => {
      await call('PUT', configPath(subject), { compatibility: level })
    },
    close: () => dispatcher.close(),
  }
}

function configPath(subject: string | undefined): string {
  return subject === undefined ? '/config' : `/config/${encodeURIComponent(subject)}`
}

/** The answer's body; `undefined` for 404, which is an answer too. */
async function request(
  options: RegistryOptions,
  dispatcher: Agent,
  method: string,
  path: string,
  body: unknown,
): Promise<unknown> {
  const credentials = Buffer.from(`${options.username}:${options.password}`).toString('base64')
  const answer = await fetch(`${options.url}${path}`, {
    method,
    dispatcher,
    signal: AbortSignal.timeout(options.timeoutMs ?? timeoutMsDefault),
    headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/vnd.schemaregistry.v1+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new MillraceError('registry.unavailable', `no answer from the schema registry at ${options.url}`, { cause })
  })
  const text = await answer.text().catch((cause: unknown) => {
    throw new MillraceError('registry.unavailable', `the schema registry broke off its answer to ${method} ${path}`, {
      cause,
    })
  })
  if (answer.ok) return parseJson(text)
  if (answer.status === 404) return undefined
  const code = answer.status >= 500 || answer.status === 429 ? 'registry.unavailable' : 'registry.refused'
  throw new MillraceError(
    code,
    `the schema registry answered ${answer.status} to ${method} ${path}: ${text.slice(0, 2_000)}`,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed('JSON')
  }
}

function registered(answer: unknown): RegisteredSchema | undefined {
  if (!isJsonObject(answer)) return undefined
  const { id, version } = answer
  if (typeof id !== 'number' || typeof version !== 'number') throw malformed('a version of a subject')
  return { id, version, type: typeOf(answer), schema: textOf(answer, 'schema') }
}

/** The registry leaves the type out where it is Avro. */
function typeOf(answer: JsonObject): SchemaType {
  const type = answer['schemaType']
  return type === 'JSON' || type === 'PROTOBUF' ? type : 'AVRO'
}

function textOf(answer: JsonObject, name: string): string {
  const value = answer[name]
  if (typeof value !== 'string') throw malformed(`"${name}"`)
  return value
}

function malformed(what: string): MillraceError {
  return new MillraceError(
    'registry.refused',
    `the schema registry's answer is not ${what}: is this its Confluent-compatible API?`,
  )
}
