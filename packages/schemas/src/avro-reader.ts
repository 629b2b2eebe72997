import type { JsonValue } from '@millrace/core/json'
import { type AvroInput, type Failed, failed, readUnits } from './avro-input.ts'
import type { AvroRecord, AvroType, AvroUnion } from './avro-schema.ts'
import { branchesOf } from './avro-union.ts'

/** Reads one value, checks it, and gives it as readers see it; `failed` when the input has a fault. */
export type Read = (input: AvroInput) => JsonValue | Failed

/** What JSON needs around a value: a comma, and at least a character or two. */
const jsonLengthPerValue = 4

/** A key that is not set but defined, since to set it would replace the prototype. */
const prototypeKey = '__proto__'

/** Makes what reads a type. A record is made once, so that it can contain itself. */
export function readerOf(type: AvroType, made = new Map<AvroRecord, Read>()): Read {
  switch (type.kind) {
    case 'array':
      return arrayReader(readerOf(type.items, made))
    case 'map':
      return mapReader(readerOf(type.values, made))
    case 'union':
      return unionReader(type, made)
    case 'record':
      return made.get(type) ?? recordReader(type, made)
    case 'fixed':
      return fixedReader(type.size)
    case 'enum':
      return enumReader(type.symbols)
    default:
      return primitiveReaders[type.kind]
  }
}

const primitiveReaders: Record<
  Exclude<AvroType['kind'], 'array' | 'map' | 'union' | 'record' | 'fixed' | 'enum'>,
  Read
> = {
  null: () => null,
  boolean: readBoolean,
  int: (input) => input.int(),
  long: (input) => input.long(),
  float: readFloat,
  double: readDouble,
  string: (input) => input.string(),
  bytes: readBytes,
}

function readBoolean(input: AvroInput): boolean | Failed {
  const start = input.skip(1, 'a boolean')
  if (start === failed) return failed
  const byte = input.bytes[start]
  if (byte === 0) return false
  return byte === 1 ? true : input.fail(`has ${byte ?? ''} at byte ${start}, where a boolean is 0 or 1`)
}

function readFloat(input: AvroInput): JsonValue | Failed {
  const start = input.skip(4, 'a float')
  return start === failed ? failed : finite(input.bytes.readFloatLE(start))
}

function readDouble(input: AvroInput): JsonValue | Failed {
  const start = input.skip(8, 'a double')
  return start === failed ? failed : finite(input.bytes.readDoubleLE(start))
}

/** JSON has no numbers for what is none: readers get "NaN", "Infinity" and "-Infinity". */
function finite(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

function readBytes(input: AvroInput): string | Failed {
  const start = input.prefixed('bytes')
  return start === failed ? failed : input.bytes.toString('latin1', start, input.position)
}

function fixedReader(size: number): Read {
  return (input) => {
    const start = input.skip(size, 'a fixed')
    return start === failed ? failed : input.bytes.toString('latin1', start, input.position)
  }
}

/** @param symbols what the reader calls the writer's symbols */
export function enumReader(symbols: readonly string[]): Read {
  return (input) => {
    const index = input.index(symbols.length, 'symbol')
    const symbol = index === failed ? undefined : symbols[index]
    return symbol !== undefined && input.take(symbol.length) ? symbol : failed
  }
}

export function arrayReader(read: Read): Read {
  return (input) => {
    if (!input.enter(2)) return failed
    const items: JsonValue[] = []
    const whole = readBlocks(input, () => {
      const item = read(input)
      if (item === failed) return input.at(items.length)
      return items.push(item)
    })
    if (!whole) return failed
    input.leave()
    return items
  }
}

export function mapReader(read: Read): Read {
  return (input) => {
    if (!input.enter(2)) return failed
    const map: Record<string, JsonValue> = {}
    const whole = readBlocks(input, () => readEntry(input, read, map))
    if (!whole) return failed
    input.leave()
    return map
  }
}

function readEntry(input: AvroInput, read: Read, map: Record<string, JsonValue>): true | Failed {
  const start = input.position
  if (!input.spend(readUnits.entry)) return failed
  const key = input.string()
  if (key === failed) return failed
  if (map[key] !== undefined && Object.hasOwn(map, key)) {
    input.fail(`is there a second time at byte ${start}: a map has each key once`)
    return input.at(key)
  }
  const value = read(input)
  if (value === failed) return input.at(key)
  if (key === prototypeKey) {
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    map[key] = value
  }
  return true
}

/** Reads the blocks of an array or a map. Their counts are believed only as far as the data may become that large. */
function readBlocks(input: AvroInput, readItem: () => unknown): boolean {
  for (;;) {
    const block = readBlock(input)
    if (block === failed) return false
    if (block.count === 0) return true
    for (let left = block.count; left > 0; left--) if (readItem() === failed) return false
    if (block.end !== undefined && block.end !== input.position) {
      input.fail(`has a block that should end at byte ${block.end} and ends at byte ${input.position}`)
      return false
    }
  }
}

function readBlock(input: AvroInput): { count: number; end: number | undefined } | Failed {
  const start = input.position
  const signed = input.long()
  if (signed === failed) return failed
  if (typeof signed === 'string') return input.fail(`has a block of ${signed} items at byte ${start}`)
  const count = Math.abs(signed)
  if (!input.take(count * jsonLengthPerValue) || !input.spend(readUnits.block + count * readUnits.item)) return failed
  if (signed >= 0) return { count, end: undefined }
  const length = input.long()
  if (length === failed) return failed
  const fits = typeof length === 'number' && length >= 0 && length <= input.left
  return fits
    ? { count, end: input.position + length }
    : input.fail(`has a block of ${length} bytes at byte ${start}, where ${input.left} are left`)
}

function unionReader(type: AvroUnion, made: Map<AvroRecord, Read>): Read {
  const branches = branchesOf(type)
  const readers = type.branches.map((branch) => readerOf(branch, made))
  return (input) => {
    const index = input.index(readers.length, 'branch')
    const read = index === failed ? undefined : readers[index]
    if (index === failed || !read) return failed
    const value = read(input)
    return value !== failed && input.take(branches.jsonLength(index)) ? branches.present(index, value) : failed
  }
}

function recordReader(type: AvroRecord, made: Map<AvroRecord, Read>): Read {
  const fields: { readonly name: string; readonly read: Read }[] = []
  const jsonLength = recordJsonLength(type)
  const read: Read = (input) => {
    if (!input.enter(jsonLength)) return failed
    const record: Record<string, JsonValue> = {}
    for (const field of fields) {
      const value = field.read(input)
      if (value === failed) return input.at(field.name)
      record[field.name] = value
    }
    input.leave()
    return record
  }
  made.set(type, read)
  for (const field of type.fields) fields.push({ name: field.name, read: readerOf(field.type, made) })
  return read
}

/** How long a record is as JSON at least. */
export function recordJsonLength(type: AvroRecord): number {
  return type.fields.reduce((sum, field) => sum + field.name.length + jsonLengthPerValue, 2)
}
