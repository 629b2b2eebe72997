/** What is known of schemas, on disk, so that a process that starts while the registry is away knows it too. */
import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { isJsonObject } from '@millrace/core/json'
import type { CachedSchema } from './cached-schema.ts'

const formatVersion = 1

export type Warn = (message: string, cause: unknown) => void

export type Snapshot = {
  /** Says that there is something new to keep. */
  readonly touch: () => void
  /** Writes what is not on disk yet. */
  readonly close: () => Promise<void>
}

/** Reads a snapshot. None is nothing; a broken one is a warning. */
export function readSnapshot(file: string, warn: Warn): CachedSchema[] {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
    const schemas = isJsonObject(content) && content['version'] === formatVersion ? content['schemas'] : undefined
    if (Array.isArray(schemas) && schemas.every(isCachedSchema)) return schemas
    warn(`the snapshot of schemas in ${file} is not one of this version, so it is left aside`, undefined)
  } catch (cause) {
    if (!isMissing(cause)) warn(`the snapshot of schemas in ${file} cannot be read, so it is left aside`, cause)
  }
  return []
}

/** Keeps a snapshot of what `schemas` are whenever it is touched, but writes no more often than every `intervalMs`. */
export function keepSnapshot(
  file: string,
  schemas: () => readonly CachedSchema[],
  intervalMs: number,
  warn: Warn,
): Snapshot {
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()
  const write = () => {
    timer = undefined
    const content = JSON.stringify({ version: formatVersion, schemas: schemas() })
    writing = writing
      .then(() => replace(file, content))
      .catch((cause: unknown) => {
        warn(`the snapshot of schemas cannot be written to ${file}`, cause)
      })
  }
  return {
    touch: () => {
      timer ??= setTimeout(write, intervalMs).unref()
    },
    close: async () => {
      if (timer) {
        clearTimeout(timer)
        write()
      }
      await writing
    },
  }
}

/** Whoever reads sees the old file or the new one, whole. */
async function replace(file: string, content: string): Promise<void> {
  const next = `${file}.${process.pid}.tmp`
  await writeFile(next, content, { mode: 0o600, flush: true })
  await rename(next, file)
}

function isCachedSchema(value: unknown): value is CachedSchema {
  if (!isJsonObject(value)) return false
  const { id, subjects, format, schema, references } = value
  return (
    Number.isSafeInteger(id) &&
    Array.isArray(subjects) &&
    subjects.every((subject) => typeof subject === 'string') &&
    (format === 'json' || format === 'avro' || format === 'protobuf') &&
    (typeof schema === 'string' || isJsonObject(schema)) &&
    Array.isArray(references) &&
    references.every(isReference)
  )
}

function isReference(value: unknown): boolean {
  return isJsonObject(value) && typeof value['name'] === 'string' && typeof value['schema'] === 'string'
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
