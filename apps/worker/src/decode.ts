/** What a record's bytes say, as the schema of its type sees it now. */
import type { CatalogEntry } from '@millrace/core/catalog'
import type { Violation } from '@millrace/core/cloud-event'
import type { HandledEvent } from '@millrace/core/handler'
import { isJsonObject } from '@millrace/core/json'
import { eventOfRecord } from '@millrace/core/kafka-binding'
import type { StoredRecord } from '@millrace/kafka/reader'
import type { Codec, Coded } from '@millrace/schemas/codec'
import { createDecoders, isVersionOf } from '@millrace/schemas/decoders'
import type { SchemaCache } from '@millrace/schemas/schema-cache'
import { parseExactJson } from '@millrace/schemas/exact-json'
import { unframe } from '@millrace/schemas/wire-format'

export type Decoded =
  | { readonly ok: true; readonly event: HandledEvent }
  | { readonly ok: false; readonly reason: 'malformed' | 'undecodable' | 'invalid'; readonly violation: Violation }

/** @throws MillraceError 'registry.unavailable' when the schema that the record was written with cannot be had now */
export type DecodeRecord = (entry: CatalogEntry, record: StoredRecord) => Promise<Decoded>

export function createDecode(codecOf: (entry: CatalogEntry) => Codec, cache: SchemaCache): DecodeRecord {
  const decoders = createDecoders(codecOf)

  async function coded(entry: CatalogEntry, value: Buffer): Promise<Coded | string> {
    if (entry.format === 'json') return codecOf(entry).fromBytes(value)
    const framed = unframe(entry.format, value)
    if (!framed) return `is not framed as ${entry.format} values are`
    const { schemaId, payload, messageIndexes } = framed
    if (schemaId === entry.schemaId) return codecOf(entry).fromBytes(payload, messageIndexes)
    const schema = cache.known(schemaId) ?? (await cache.byId(schemaId))
    if (!schema || !isVersionOf(schema, entry)) return `names the schema ${schemaId}, which is none of its type's`
    return decoders.ofVersion(entry, schema)(payload, messageIndexes)
  }

  return async (entry, { headers, value }) => {
    const failed = (reason: 'malformed' | 'undecodable' | 'invalid', { pointer, detail }: Violation): Decoded => ({
      ok: false,
      reason,
      violation: { pointer, detail },
    })
    if (value === null) return failed('malformed', { pointer: '', detail: 'the record has no value' })
    const outcome = await coded(entry, value)
    if (typeof outcome === 'string') return failed('undecodable', { pointer: '', detail: `the value ${outcome}` })
    if (!outcome.ok) {
      return failed(
        reasonOf(entry, value),
        outcome.violations[0] ?? { pointer: '', detail: 'it does not fit its schema' },
      )
    }
    const { data } = outcome
    if (!isJsonObject(data)) return failed('invalid', { pointer: '', detail: 'the data is no object' })
    const event = eventOfRecord(headers, data)
    if (!event) return failed('malformed', { pointer: '', detail: 'the headers are not those of a CloudEvent' })
    return { ok: true, event: { ...event, data } }
  }
}

/** Why a value was not taken by its codec. Avro and Protobuf have no values that can be read and do not fit. */
function reasonOf({ format }: CatalogEntry, value: Buffer): 'malformed' | 'undecodable' | 'invalid' {
  if (format !== 'json') return 'undecodable'
  return parseExactJson(value).ok ? 'invalid' : 'malformed'
}
