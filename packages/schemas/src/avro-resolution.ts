/** Reads what was written with one schema as another sees it: Avro's schema resolution. */
import { MillraceError } from '@millrace/core/errors'
import type { JsonValue } from '@millrace/core/json'
import type { Defaults } from './avro-schema.ts'
import { AvroInput, type Failed, failed } from './avro-input.ts'
import { unqualified } from './avro-names.ts'
import { arrayReader, enumReader, mapReader, type Read, readerOf, recordJsonLength } from './avro-reader.ts'
import {
  type AvroEnum,
  type AvroField,
  type AvroNamed,
  type AvroRecord,
  type AvroType,
  type AvroUnion,
  branchName,
} from './avro-schema.ts'
import { branchesOf } from './avro-union.ts'

/** Two schemas can be compared in so many ways that only hostile ones need more steps. */
const stepsMax = 20_000

type Resolving = {
  readonly defaults: Defaults
  /** The readers of records, by what wrote and what reads: a record may contain itself. */
  readonly made: Map<string, Read>
  steps: number
}

/**
 * Makes what reads a writer's bytes for a reader.
 * @throws MillraceError 'registry.refused' when the reader cannot read all that the writer may write
 * @see https://avro.apache.org/docs/1.12.0/specification/#schema-resolution
 */
export function resolvingReader(writer: AvroType, reader: AvroType, defaults: Defaults): Read {
  try {
    return resolve(writer, reader, { defaults, made: new Map(), steps: 0 })
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return refuse(`what was written with this version cannot be read with the current one: ${error.message}`)
  }
}

function resolve(writer: AvroType, reader: AvroType, resolving: Resolving): Read {
  if (++resolving.steps > stepsMax) refuse('the two schemas have too many types with the same names')
  if (writer.kind === 'union') return resolveWriterUnion(writer, reader, resolving)
  if (reader.kind === 'union') return resolveReaderUnion(writer, reader, resolving)
  if (writer.kind === 'array' && reader.kind === 'array') {
    return arrayReader(resolve(writer.items, reader.items, resolving))
  }
  if (writer.kind === 'map' && reader.kind === 'map') return mapReader(resolve(writer.values, reader.values, resolving))
  if (writer.kind === 'record' && reader.kind === 'record') return resolveRecord(writer, reader, resolving)
  if (writer.kind === 'enum' && reader.kind === 'enum') return resolveEnum(writer, reader)
  if (writer.kind === 'fixed' && reader.kind === 'fixed') {
    requireName(writer, reader)
    return writer.size === reader.size ? readerOf(writer) : refuse(`${reader.name} was ${writer.size} bytes long`)
  }
  return promotion(writer, reader)
}

function promotion(writer: AvroType, reader: AvroType): Read {
  if (writer.kind === reader.kind) return readerOf(writer)
  const read = readerOf(writer)
  const promote = promotions[`${writer.kind} ${reader.kind}`]
  if (!promote) return refuse(`${branchName(writer)} was written where ${branchName(reader)} is read`)
  return (input) => {
    const value = read(input)
    return value === failed ? failed : promote(value, input)
  }
}

const textOf = (value: JsonValue) => (typeof value === 'string' ? value : '')
const same = (value: JsonValue) => value
const toFloat = (value: JsonValue) => Math.fround(Number(value))

const promotions: Record<string, (value: JsonValue, input: AvroInput) => JsonValue | Failed> = {
  'int long': same,
  'int float': toFloat,
  'int double': same,
  'long float': toFloat,
  'long double': Number,
  'float double': same,
  'string bytes': (value) => Buffer.from(textOf(value)).toString('latin1'),
  'bytes string': (value, input) => {
    const bytes = Buffer.from(textOf(value), 'latin1')
    const text = bytes.toString()
    return Buffer.from(text).equals(bytes)
      ? text
      : input.fail(`has bytes before byte ${input.position} that are not UTF-8`)
  },
}

function resolveEnum(writer: AvroEnum, reader: AvroEnum): Read {
  requireName(writer, reader)
  const known = new Set(reader.symbols)
  return enumReader(
    writer.symbols.map((symbol) => {
      if (known.has(symbol)) return symbol
      return reader.default ?? refuse(`${reader.name} has no symbol ${symbol} any more, and no default for it`)
    }),
  )
}

function resolveWriterUnion(writer: AvroUnion, reader: AvroType, resolving: Resolving): Read {
  const readers = writer.branches.map((branch) => resolve(branch, reader, resolving))
  return (input) => {
    const index = input.index(readers.length, 'branch')
    const read = index === failed ? undefined : readers[index]
    return read ? read(input) : failed
  }
}

/** The reader's branch of the writer's very name, as in Avro for Java, else the first that can read it. */
function resolveReaderUnion(writer: AvroType, reader: AvroUnion, resolving: Resolving): Read {
  const branches = branchesOf(reader)
  const named = branches.names.indexOf(branchName(writer))
  const order = [...(named < 0 ? [] : [named]), ...reader.branches.keys()]
  for (const index of order) {
    const branch = reader.branches[index]
    const read = branch && attempt(writer, branch, resolving)
    if (!read) continue
    return (input) => {
      const value = read(input)
      if (value === failed || !input.take(branches.jsonLength(index))) return failed
      return branches.present(index, value)
    }
  }
  return refuse(`${branchName(writer)} was written, which is none of ${branches.names.join(', ').slice(0, 200)}`)
}

function attempt(writer: AvroType, branch: AvroType, resolving: Resolving): Read | undefined {
  const before = resolving.made.size
  try {
    return resolve(writer, branch, resolving)
  } catch (error) {
    if (!(error instanceof MillraceError) || resolving.steps > stepsMax) throw error
    // What was made on the way may rely on what failed.
    for (const key of [...resolving.made.keys()].slice(before)) resolving.made.delete(key)
    return undefined
  }
}

type Step = { readonly name: string; readonly read: Read; readonly kept: boolean }

function resolveRecord(writer: AvroRecord, reader: AvroRecord, resolving: Resolving): Read {
  const key = `${writer.name} ${reader.name}`
  const known = resolving.made.get(key)
  if (known) return known
  requireName(writer, reader)
  const steps: Step[] = []
  const initial: Record<string, JsonValue> = {}
  let jsonLength = recordJsonLength(reader)
  const read: Read = (input) => {
    if (!input.enter(jsonLength)) return failed
    // The reader's order of fields, with the defaults of those that were not written.
    const record = { ...initial }
    for (const step of steps) {
      const value = step.read(input)
      if (value === failed) return input.at(step.name)
      if (step.kept) record[step.name] = value
    }
    input.leave()
    return record
  }
  resolving.made.set(key, read)
  const sources = sourcesOf(writer, reader)
  for (const field of reader.fields) {
    const written = [...sources.values()].includes(field)
    initial[field.name] = written ? null : defaultOf(reader, field, resolving)
    if (!written) jsonLength += JSON.stringify(initial[field.name]).length
  }
  for (const field of writer.fields) steps.push(stepOf(reader, field, sources.get(field), resolving))
  return read
}

function stepOf(reader: AvroRecord, written: AvroField, field: AvroField | undefined, resolving: Resolving): Step {
  if (!field) return { name: written.name, read: readerOf(written.type), kept: false }
  try {
    return { name: field.name, read: resolve(written.type, field.type, resolving), kept: true }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return refuse(`${reader.name}.${field.name}: ${error.message}`)
  }
}

/** Which of the reader's fields takes which of the writer's: by its name, else by its aliases in their order. */
function sourcesOf(writer: AvroRecord, reader: AvroRecord): Map<AvroField, AvroField> {
  const written = new Map(writer.fields.map((field) => [field.name, field]))
  const sources = new Map<AvroField, AvroField>()
  for (const field of reader.fields) {
    const name = [field.name, ...field.aliases].find((alias) => written.has(alias))
    const source = name === undefined ? undefined : written.get(name)
    if (source && !sources.has(source)) sources.set(source, field)
  }
  return sources
}

function defaultOf(reader: AvroRecord, field: AvroField, { defaults }: Resolving): JsonValue {
  const bytes = defaults(field)
  if (!bytes) return refuse(`${reader.name}.${field.name} was not written and has no default: give it one`)
  const value = readerOf(field.type)(new AvroInput(bytes, bytes.length))
  return value === failed ? refuse(`the default of ${reader.name}.${field.name} is too large`) : value
}

function requireName(writer: AvroNamed, reader: AvroNamed): void {
  const names = [reader.name, ...reader.aliases]
  if (names.includes(writer.name) || names.map(unqualified).includes(unqualified(writer.name))) return
  refuse(`${writer.name} was written where ${reader.name} is read: give it this alias`)
}

function refuse(detail: string): never {
  throw new MillraceError('registry.refused', detail)
}
