import { AvroOutput } from './avro-output.ts'
import { type AvroField, type AvroSchema, type Defaults, refuse } from './avro-schema.ts'
import { writerOf } from './avro-writer.ts'

/** Defaults contain the defaults of what is in them, so that a short schema could grow without end. */
const sizeMax = 1024 * 1024

/**
 * Encodes the defaults of all fields of a schema, once.
 * @throws MillraceError 'registry.refused' when a default does not fit its field, or contains itself
 */
export function encodeDefaults({ records }: AvroSchema): Defaults {
  const encoded = new Map<AvroField, Buffer | undefined>()
  const open = new Set<AvroField>()
  let left = sizeMax
  const defaultOf: Defaults = (field) => {
    if (field.default === undefined) return undefined
    if (encoded.has(field)) return encoded.get(field)
    if (open.has(field)) refuse(`the default of the field ${field.name} contains itself`)
    open.add(field)
    const output = new AvroOutput(left)
    writerOf(field.type, { defaults: defaultOf, unions: 'bare' })(output, field.default)
    const [violation] = output.violations
    if (violation)
      refuse(`the default of the field ${field.name} does not fit: ${violation.pointer} ${violation.detail}`)
    const bytes = Buffer.from(output.taken())
    left -= bytes.length
    encoded.set(field, bytes)
    open.delete(field)
    return bytes
  }
  for (const record of records) for (const field of record.fields) defaultOf(field)
  return defaultOf
}
