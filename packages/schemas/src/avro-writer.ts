import { isJsonObject, type JsonValue } from '@millrace/core/json'
import type { Defaults } from './avro-schema.ts'
import { doubleOf, exactDigits, floatOf, intOf, longOf, type Parsed } from './avro-number.ts'
import { type AvroOutput, writeUnits } from './avro-output.ts'
import type { AvroArray, AvroEnum, AvroFixed, AvroMap, AvroRecord, AvroType, AvroUnion } from './avro-schema.ts'
import { branchesOf } from './avro-union.ts'

/** Writes one value from JSON, or notes all that is wrong with it. */
export type Write = (output: AvroOutput, value: JsonValue) => void

export type WriterOptions = {
  /** What takes the place of fields that are missing. */
  readonly defaults: Defaults
  /** `bare` in a schema's defaults, where a union's value is never wrapped. */
  readonly unions: 'json' | 'bare'
}

/** A level of data may be two of JSON, where a union's value is wrapped; how deep data may be is for the reader to say. */
const jsonNestingMax = 128
const beyondLatin1 = /[^\0-\xff]/

/** Makes what writes a type. A record is made once, so that it can contain itself. */
export function writerOf(type: AvroType, options: WriterOptions, made = new Map<AvroRecord, Write>()): Write {
  switch (type.kind) {
    case 'array':
      return arrayWriter(writerOf(type.items, options, made))
    case 'map':
      return mapWriter(writerOf(type.values, options, made))
    case 'union':
      return unionWriter(type, options, made)
    case 'record':
      return made.get(type) ?? recordWriter(type, options, made)
    case 'fixed':
      return fixedWriter(type)
    case 'enum':
      return enumWriter(type)
    default:
      return primitiveWriters[type.kind]
  }
}

type PrimitiveKind = Exclude<
  AvroType['kind'],
  (AvroArray | AvroMap | AvroUnion | AvroRecord | AvroFixed | AvroEnum)['kind']
>

const primitiveWriters: Record<PrimitiveKind, Write> = {
  null: (output, value) => {
    if (value !== null) output.fail('must be null')
  },
  boolean: (output, value) => {
    if (typeof value === 'boolean') output.byte(value ? 1 : 0)
    else output.fail('must be true or false')
  },
  int: numberWriter(intOf, (output, value) => output.long(value)),
  long: numberWriter(longOf, (output, value) => output.long(value)),
  float: numberWriter(floatOf, (output, value) => output.float(value)),
  double: numberWriter(doubleOf, (output, value) => output.double(value)),
  string: (output, value) => {
    if (typeof value !== 'string') output.fail('must be a string')
    else if (!value.isWellFormed()) output.fail('has half of a surrogate pair, which is not Unicode')
    else output.text(value, 'utf8')
  },
  bytes: (output, value) => {
    const text = latin1(output, value)
    if (text !== undefined) output.text(text, 'latin1')
  },
}

function numberWriter<T>(parse: (value: JsonValue) => Parsed<T>, write: (output: AvroOutput, value: T) => void): Write {
  return (output, value) => {
    if (typeof value === 'object') output.spend(writeUnits.exact)
    const parsed = parse(value)
    if ('fault' in parsed) output.fail(parsed.fault)
    else write(output, parsed.value)
  }
}

/** Bytes in JSON: a character from U+0000 to U+00FF stands for each. */
function latin1(output: AvroOutput, value: JsonValue): string | undefined {
  if (typeof value !== 'string') output.fail('must be a string with a character for each byte')
  else if (beyondLatin1.test(value)) output.fail('has a character beyond U+00FF, which stands for no byte')
  else return value
  return undefined
}

function fixedWriter({ name, size }: AvroFixed): Write {
  return (output, value) => {
    const text = latin1(output, value)
    if (text === undefined) return
    if (text.length === size) output.unprefixed(text, size, 'latin1')
    else output.fail(`has ${text.length} bytes, where ${name} has ${size}`)
  }
}

function enumWriter({ name, symbols }: AvroEnum): Write {
  const indexes = new Map<JsonValue, number>(symbols.map((symbol, index) => [symbol, index]))
  const some = symbols.slice(0, 10).join(', ') + (symbols.length > 10 ? ', …' : '')
  return (output, value) => {
    const index = indexes.get(value)
    if (index === undefined) output.fail(`is none of the symbols of ${name}: ${some}`)
    else output.long(index)
  }
}

function arrayWriter(write: Write): Write {
  return (output, value) => {
    if (!Array.isArray(value)) {
      output.fail('must be an array')
      return
    }
    if (tooDeep(output)) return
    const items: readonly JsonValue[] = value
    if (items.length > 0) output.long(items.length)
    for (const [index, item] of items.entries()) {
      writeAt(output, index, write, item)
      if (output.full) return
    }
    output.byte(0)
  }
}

function mapWriter(write: Write): Write {
  return (output, value) => {
    if (!isObject(value)) {
      output.fail('must be an object')
      return
    }
    if (tooDeep(output)) return
    const entries = Object.entries(value)
    if (entries.length > 0) output.long(entries.length)
    for (const [key, item] of entries) {
      output.spend(writeUnits.entry)
      if (key.isWellFormed()) output.text(key, 'utf8')
      else output.fail('has half of a surrogate pair in its key, which is not Unicode', key)
      writeAt(output, key, write, item)
      if (output.full) return
    }
    output.byte(0)
  }
}

function unionWriter(type: AvroUnion, options: WriterOptions, made: Map<AvroRecord, Write>): Write {
  const branches = branchesOf(type)
  const writers = type.branches.map((branch) => writerOf(branch, options, made))
  const choose = options.unions === 'bare' ? branches.chooseBare : branches.choose
  const names = branches.names.slice(0, 10).join(', ')
  return (output, value) => {
    const choice = choose(value)
    const write = choice && writers[choice.index]
    if (!write) {
      output.fail(`must be one of ${names}: as {"<its name>": value} where that is not plain to see`)
      return
    }
    output.long(choice.index)
    if (choice.wrapped) writeAt(output, branches.names[choice.index] ?? '', write, choice.value)
    else write(output, choice.value)
  }
}

function recordWriter(type: AvroRecord, options: WriterOptions, made: Map<AvroRecord, Write>): Write {
  const writers = new Map<string, Write>()
  const write: Write = (output, value) => {
    if (!isObject(value)) {
      output.fail('must be an object')
      return
    }
    if (tooDeep(output)) return
    let found = 0
    for (const field of type.fields) {
      const item = Object.hasOwn(value, field.name) ? value[field.name] : undefined
      const writeField = writers.get(field.name)
      if (item !== undefined && writeField) {
        found++
        writeAt(output, field.name, writeField, item)
      } else {
        const bytes = options.defaults(field)
        if (bytes) output.copy(bytes)
        else output.fail('is required', field.name)
      }
      if (output.full) return
    }
    const keys = Object.keys(value)
    if (keys.length === found) return
    for (const key of keys) {
      if (!writers.has(key)) output.fail(`is no field of ${type.name}`, key)
      if (output.full) return
    }
  }
  made.set(type, write)
  for (const field of type.fields) writers.set(field.name, writerOf(field.type, options, made))
  return write
}

function writeAt(output: AvroOutput, token: string | number, write: Write, value: JsonValue): void {
  output.spend(writeUnits.value)
  output.path.push(token)
  write(output, value)
  output.path.pop()
}

function tooDeep(output: AvroOutput): boolean {
  output.spend(writeUnits.structure)
  if (output.path.length < jsonNestingMax) return false
  output.fail(`is nested deeper than ${jsonNestingMax} levels`)
  return true
}

function isObject(value: JsonValue): value is Readonly<Record<string, JsonValue>> {
  return isJsonObject(value) && exactDigits(value) === undefined
}
