/** Decoders of what other versions of a type's schema wrote, compiled once, for as long as the schemas are in use. */
import type { CatalogEntry } from '@millrace/core/catalog'
import { MillraceError } from '@millrace/core/errors'
import { valueSubject } from '@millrace/core/topic-name'
import type { CachedSchema } from './cached-schema.ts'
import type { Codec, Coded, Decode } from './codec.ts'
import { compileCodec } from './compile-codec.ts'

export type Decoders = {
  /** Sees what another version wrote as the type's schema does. */
  readonly ofVersion: (entry: CatalogEntry, writer: CachedSchema) => Decode
  /** Sees it as its own schema does: for records whose type is not in the catalog. */
  readonly ofSchema: (schema: CachedSchema) => Decode
}

/** @param codecOf the codec of an entry's schema, the same object each time */
export function createDecoders(codecOf: (entry: CatalogEntry) => Codec): Decoders {
  const versions = new WeakMap<Codec, WeakMap<CachedSchema, Decode>>()
  const alone = new WeakMap<CachedSchema, Decode>()
  return {
    ofVersion: (entry, writer) => {
      const codec = codecOf(entry)
      const ofCodec = versions.get(codec) ?? new WeakMap<CachedSchema, Decode>()
      versions.set(codec, ofCodec)
      const decode = ofCodec.get(writer) ?? unlessUnreadable(() => codec.fromVersion(writer))
      ofCodec.set(writer, decode)
      return decode
    },
    ofSchema: (schema) => {
      const decode = alone.get(schema) ?? unlessUnreadable(() => compileCodec(schema).fromBytes)
      alone.set(schema, decode)
      return decode
    },
  }
}

/** Whether a schema is one of the versions of a type's. */
export function isVersionOf(schema: CachedSchema, entry: CatalogEntry): boolean {
  return schema.format === entry.format && schema.subjects.includes(valueSubject(entry.topic))
}

/** A schema that cannot be used takes nothing, and says why: that is found out once. */
function unlessUnreadable(compile: () => Decode): Decode {
  try {
    return compile()
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'registry.refused') throw error
    const refusal: Coded = { ok: false, violations: [{ pointer: '', detail: error.message }] }
    return () => refusal
  }
}
