/** Schemas by id, so that the registry is never on the way of an event twice: what an id means never changes. */
import { schemaText, type SchemaFormat } from '@millrace/core/event-type'
import { createByteLimitedMap } from './byte-limited-map.ts'
import type { CachedSchema } from './cached-schema.ts'
import type { SchemaType } from './registry.ts'
import { createQuestions, type Outage, type Questions } from './registry-questions.ts'
import { type KeptText, resolveReferences } from './schema-references.ts'
import { keepSnapshot, readSnapshot, type Warn } from './schema-snapshot.ts'

export type { CachedSchema }

/** What the cache asks the registry. */
export type SchemaLookUp = {
  readonly byId: (id: number) => Promise<(KeptText & { readonly type: SchemaType }) | undefined>
  readonly version: (subject: string, version: number) => Promise<KeptText | undefined>
  readonly subjectsOf: (id: number) => Promise<readonly string[]>
}

export type SchemaCacheOptions = {
  /** Where what is known outlives the process; nowhere unless said. */
  readonly snapshotFile?: string
  /** Told what is wrong with the snapshot, which is never a failure. */
  readonly warn?: Warn
  /** Of all texts, 64 MiB unless said. Enough for every schema in use; beyond it the least recently used go. */
  readonly bytesMax?: number
  /** How long the registry's "there is none" holds. */
  readonly absentMs?: number
  /** How long an outage of the registry holds before it is asked again. */
  readonly retryMs?: number
  /** A snapshot is written no more often. */
  readonly snapshotMs?: number
  readonly now?: () => number
}

export type SchemaCache = {
  /** What is known of an id, without asking anybody. */
  readonly known: (id: number) => CachedSchema | undefined
  /**
   * The schema of an id; `undefined` where the registry has none. With a subject that is not known to have it, the registry is asked
   * again.
   * @throws MillraceError 'registry.unavailable' when it cannot be told, 'registry.refused' when its references cannot be followed
   */
  readonly byId: (id: number, subject?: string) => Promise<CachedSchema | undefined>
  /** Takes in what is known from elsewhere, such as the catalog. */
  readonly learn: (schema: CachedSchema) => void
  /** Writes the snapshot. */
  readonly close: () => Promise<void>
}

const formats: Readonly<Record<SchemaType, SchemaFormat>> = { JSON: 'json', AVRO: 'avro', PROTOBUF: 'protobuf' }
const mebibyte = 1_048_576

export function openSchemaCache(registry: SchemaLookUp, options: SchemaCacheOptions = {}): SchemaCache {
  const { snapshotFile, warn = () => undefined, bytesMax = 64 * mebibyte, snapshotMs = 3_000 } = options
  const schemas = createByteLimitedMap<number, CachedSchema>(bytesMax)
  const keep = (schema: CachedSchema) => {
    schemas.set(schema.id, schema, bytesOf(schema))
  }
  if (snapshotFile !== undefined) readSnapshot(snapshotFile, warn).forEach(keep)
  const snapshot = snapshotFile === undefined ? undefined : keepSnapshot(snapshotFile, schemas.values, snapshotMs, warn)
  // The same object as long as nothing changes, so that what is made of it can be kept by it.
  const learn = (schema: CachedSchema): CachedSchema => {
    const known = schemas.get(schema.id)
    if (known && schema.subjects.every((subject) => known.subjects.includes(subject))) return known
    const subjects = new Set([...(known?.subjects ?? []), ...schema.subjects])
    const merged = { ...(known ?? schema), subjects: [...subjects] }
    keep(merged)
    snapshot?.touch()
    return merged
  }
  const ask = questionsTo(registry, options, bytesMax)
  const withSubject = async (schema: CachedSchema, subject: string): Promise<CachedSchema> => {
    if (schema.subjects.includes(subject)) return schema
    const subjects = await ask.subjects(`${schema.id} ${subject}`)
    return subjects ? learn({ ...schema, subjects }) : schema
  }
  return {
    known: schemas.get,
    byId: async (id, subject) => {
      const schema = schemas.get(id) ?? (await ask.schemas(String(id)).then((found) => found && learn(found)))
      return schema && subject !== undefined ? withSubject(schema, subject) : schema
    },
    learn,
    close: async () => snapshot?.close(),
  }
}

type Ask = {
  readonly schemas: Questions<CachedSchema>
  /** By an id and a subject, with a space between them. */
  readonly subjects: Questions<readonly string[]>
}

function questionsTo(registry: SchemaLookUp, options: SchemaCacheOptions, bytesMax: number): Ask {
  const { absentMs = 5_000, retryMs = 1_000, now = () => performance.now() } = options
  const timing = { absentMs, retryMs, now }
  const outage: Outage = { current: undefined }
  const texts = createByteLimitedMap<string, KeptText>(bytesMax)
  const version = async (subject: string, number: number): Promise<KeptText | undefined> => {
    const key = `${number} ${subject}`
    const text = texts.get(key) ?? (await registry.version(subject, number))
    if (text) texts.set(key, text, key.length + text.schema.length)
    return text
  }
  const schema = async (key: string): Promise<CachedSchema | undefined> => {
    const id = Number(key)
    const kept = await registry.byId(id)
    if (!kept) return undefined
    const references = await resolveReferences(kept.references, version)
    return { id, format: formats[kept.type], schema: kept.schema, references, subjects: await registry.subjectsOf(id) }
  }
  const subjects = async (key: string): Promise<readonly string[] | undefined> => {
    const space = key.indexOf(' ')
    const found = await registry.subjectsOf(Number(key.slice(0, space)))
    return found.includes(key.slice(space + 1)) ? found : undefined
  }
  return { schemas: createQuestions(schema, timing, outage), subjects: createQuestions(subjects, timing, outage) }
}

function bytesOf({ schema, references, subjects }: CachedSchema): number {
  const texts = references.reduce((sum, reference) => sum + reference.name.length + reference.schema.length, 0)
  return 200 + texts + schemaText(schema).length + subjects.join().length
}
