import { MillraceError } from '@millrace/core/errors'
import type { Compatibility, SchemaReference } from '@millrace/core/event-type'
import { isJsonObject } from '@millrace/core/json'
import { Agent, fetch } from 'undici'
import {
  incompatibilitiesIn,
  IncompatibleSchemaError,
  type KeptSchema,
  keptSchema,
  listOfNames,
  malformed,
  registeredSchema,
  type RegisteredSchema,
  type SchemaType,
  textOf,
} from './registry-answer.ts'

export type RegistryOptions = {
  /** The base of the Confluent-compatible API, as in `https://registry:8443/apis/ccompat/v7`. */
  readonly url: string
  readonly caPem: string
  readonly username: string
  readonly password: string
  readonly timeoutMs?: number
}

export type { KeptSchema, RegisteredSchema, SchemaType } from './registry-answer.ts'

type References = readonly SchemaReference[]

/**
 * A client of the Schema Registry, over TLS with basic authentication.
 * All throw MillraceError `registry.unavailable` when no answer came, `registry.refused` with the registry's own reason.
 * @see https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
export type Registry = {
  /**
   * Registers a schema under a subject, or finds it there: as what it was then, though newer versions may have followed.
   * @throws IncompatibleSchemaError where the subject's compatibility forbids it
   */
  readonly register: (
    subject: string,
    type: SchemaType,
    schema: string,
    references?: References,
  ) => Promise<RegisteredSchema>
  /** The version of a subject that has exactly this schema and these references, or `undefined`. */
  readonly lookUp: (
    subject: string,
    type: SchemaType,
    schema: string,
    references?: References,
  ) => Promise<RegisteredSchema | undefined>
  readonly byId: (id: number) => Promise<KeptSchema | undefined>
  readonly version: (subject: string, version: number) => Promise<RegisteredSchema | undefined>
  readonly latest: (subject: string) => Promise<RegisteredSchema | undefined>
  readonly subjects: () => Promise<string[]>
  /** The subjects that have a schema; none where there is no such id. */
  readonly subjectsOf: (id: number) => Promise<string[]>
  /**
   * Why the latest version of a subject forbids a schema; empty when it does not, or there is none. Apicurio cannot check a schema
   * with references before it is registered, and refuses to.
   */
  readonly compatible: (
    subject: string,
    type: SchemaType,
    schema: string,
    references?: References,
  ) => Promise<readonly string[]>
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
  const call: Call = async (method, path, body) => {
    const ask = () => request(options, dispatcher, method, path, body)
    try {
      return await ask()
    } catch (error) {
      // Two that make the same thing at once: to the second request it is there.
      if (error instanceof MadeMeanwhile) return ask()
      throw error
    }
  }
  return {
    ...versionCalls(call),
    byId: async (id) => keptSchema(await call('GET', `/schemas/ids/${id}`)),
    subjects: async () => listOfNames(await call('GET', '/subjects'), 'a list of subjects'),
    subjectsOf: async (id) => listOfNames((await call('GET', `/schemas/ids/${id}/subjects`)) ?? [], 'subjects'),
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

function versionCalls(call: Call): Pick<Registry, 'register' | 'lookUp' | 'version' | 'latest' | 'compatible'> {
  const versionsOf = (subject: string) => `${subjectPath(subject)}/versions`
  const lookUp: Registry['lookUp'] = async (subject, type, schema, references) =>
    registeredSchema(await call('POST', subjectPath(subject), bodyOf(type, schema, references)), type)
  return {
    register: async (subject, type, schema, references) => {
      await call('POST', versionsOf(subject), bodyOf(type, schema, references))
      const found = await lookUp(subject, type, schema, references)
      if (!found) throw malformed('a registered schema')
      return found
    },
    lookUp,
    version: async (subject, version) => registeredSchema(await call('GET', `${versionsOf(subject)}/${version}`)),
    latest: async (subject) => registeredSchema(await call('GET', `${versionsOf(subject)}/latest`)),
    compatible: async (subject, type, schema, references) => {
      const path = `/compatibility${versionsOf(subject)}/latest?verbose=true`
      return reasonsIn(await call('POST', path, bodyOf(type, schema, references)))
    },
  }
}

/** Confluent's registry gives reasons here; Apicurio only says that it is so. */
function reasonsIn(answer: unknown): string[] {
  if (answer === undefined) return [] // nothing to be compatible with
  if (!isJsonObject(answer)) throw malformed('a compatibility check')
  if (answer['is_compatible'] === true) return []
  const messages = listOfNames(answer['messages'] ?? [], 'a compatibility check')
  return messages.length > 0 ? messages : ['the latest version forbids it']
}

function bodyOf(schemaType: SchemaType, schema: string, references: References = []) {
  return { schema, schemaType, ...(references.length > 0 && { references: references.map(referenceOf) }) }
}

/** Nothing but what the registry knows: a resolved reference carries its text too. */
function referenceOf({ name, subject, version }: SchemaReference): SchemaReference {
  return { name, subject, version }
}

function subjectPath(subject: string): string {
  return `/subjects/${encodeURIComponent(subject)}`
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
  throw refusal(answer.status, `${method} ${path}`, text)
}

/** Another request made the same thing at the same time. */
class MadeMeanwhile extends MillraceError {
  constructor(message: string) {
    super('registry.unavailable', message)
  }
}

function refusal(status: number, asked: string, text: string): MillraceError {
  const message = messageIn(text)
  if (status === 409 && !message.includes('already exists')) {
    return new IncompatibleSchemaError(asked, incompatibilitiesIn(message))
  }
  const told = `the schema registry answered ${status} to ${asked}: ${message.slice(0, messageLengthMax)}`
  // Apicurio resolves the references of the former versions by those of the new one, and calls it its own failure when that fails.
  const unresolved = /^Unresolved .*reference/i.test(message)
  const unavailable = (status >= 500 && !unresolved) || status === 429
  if (status === 409) return new MadeMeanwhile(told)
  return new MillraceError(unavailable ? 'registry.unavailable' : 'registry.refused', told)
}

const messageLengthMax = 2_000

function messageIn(text: string): string {
  try {
    const answer: unknown = JSON.parse(text)
    if (isJsonObject(answer)) return textOf(answer, 'message')
  } catch {
    // What is not JSON comes from a server in between.
  }
  return text
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed('JSON')
  }
}
