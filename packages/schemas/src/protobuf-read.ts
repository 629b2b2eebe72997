/** From Protobuf's bytes to the JSON that readers see, in one strict walk: what is shown is what was checked. */
import type { JsonValue } from '@millrace/core/json'
import {
  type Field,
  type MapKey,
  type MessageType,
  Refusal,
  type Scalar,
  type WellKnown,
} from './protobuf-descriptor.ts'
import { WireInput, wireUnits } from './protobuf-wire.ts'

type Mutable = Record<string, JsonValue>

/** A message while it is read. */
type Reading = {
  readonly fields: Mutable
  lists: Map<Field, JsonValue[]> | undefined
  maps: Map<Field, Mutable> | undefined
  /** Where the parts of singular messages start and end: several parts are one message (as "merge" in the specification). */
  parts: Map<Field, number[]> | undefined
  /** Messages of a oneof of which a later member counts. */
  superseded: [Field, number[]][] | undefined
  /** Of each oneof, the member that was last seen. */
  chosen: Map<string, Field> | undefined
}

/**
 * The JSON of a message.
 * @throws WireFault when the bytes are not such a message
 */
export function readPayload(type: MessageType, bytes: Buffer): JsonValue {
  return readMessage(new WireInput(bytes), type, [0, bytes.length])
}

function readMessage(input: WireInput, type: MessageType, parts: readonly number[]): JsonValue {
  input.enter()
  input.spendMessage(type.defaultsCount)
  const fields: Mutable = type.defaultsCount === 0 ? {} : { ...type.defaults }
  const reading: Reading = {
    fields,
    lists: undefined,
    maps: undefined,
    parts: undefined,
    superseded: undefined,
    chosen: undefined,
  }
  const outerEnd = input.end
  for (let index = 0; index < parts.length; index += 2) {
    input.position = parts[index] ?? 0
    input.end = parts[index + 1] ?? 0
    while (input.position < input.end) readField(input, type, reading)
  }
  if (reading.parts) readParts(input, type, reading.fields, reading.parts)
  // Other readers look into what does not count as well, and must find nothing that they cannot read.
  for (const [field, ranges] of reading.superseded ?? []) readParts(input, type, {}, new Map([[field, ranges]]))
  input.end = outerEnd
  input.leave()
  return type.wellKnown ? shown(input, type.wellKnown, fields) : fields
}

function shown(input: WireInput, wellKnown: WellKnown, fields: Mutable): JsonValue {
  input.spend(wellKnown.units(fields))
  const json = wellKnown.toJson(fields)
  input.field = undefined
  input.item = undefined
  return json instanceof Refusal ? input.fail(json.detail) : json
}

function readField(input: WireInput, type: MessageType, reading: Reading): void {
  input.field = undefined
  input.item = undefined
  const tag = input.tag()
  const field = type.byNumber.get(tag >>> 3)
  const wireType = tag & 7
  if (!field) {
    // A newer writer's field: it stays in the bytes.
    input.skip(wireType)
    return
  }
  input.field = type.wellKnown ? undefined : field
  if (field.oneof !== undefined) choose(input, reading, field, field.oneof)
  if (field.shape === 'repeated') readItems(input, type, field, listOf(reading, field), wireType)
  else if (field.key) readEntry(input, type, field, field.key, mapOf(reading, field), wireType)
  else if (field.type.kind === 'message') notePart(input, field, reading, wireType)
  else {
    input.expect(wireType, field.type.wireType)
    reading.fields[field.jsonName] = field.type.read(input)
  }
}

/** The last member of a oneof is the one that counts. */
function choose(input: WireInput, reading: Reading, field: Field, oneof: string): void {
  reading.chosen ??= new Map()
  const before = reading.chosen.get(oneof)
  reading.chosen.set(oneof, field)
  if (before === undefined || before === field) return
  input.spend(wireUnits.superseded)
  Reflect.deleteProperty(reading.fields, before.jsonName)
  const ranges = reading.parts?.get(before)
  if (!ranges) return
  reading.parts?.delete(before)
  reading.superseded ??= []
  reading.superseded.push([before, ranges])
}

function listOf(reading: Reading, field: Field): JsonValue[] {
  reading.lists ??= new Map()
  const found = reading.lists.get(field)
  if (found) return found
  const list: JsonValue[] = []
  reading.lists.set(field, list)
  reading.fields[field.jsonName] = list
  return list
}

function mapOf(reading: Reading, field: Field): Mutable {
  reading.maps ??= new Map()
  const found = reading.maps.get(field)
  if (found) return found
  const map: Mutable = {}
  reading.maps.set(field, map)
  reading.fields[field.jsonName] = map
  return map
}

function notePart(input: WireInput, field: Field, reading: Reading, wireType: number): void {
  input.expect(wireType, 2)
  const end = input.delimited()
  reading.parts ??= new Map()
  const parts = reading.parts.get(field)
  if (parts) parts.push(input.position, end)
  else reading.parts.set(field, [input.position, end])
  input.position = end
}

function readParts(input: WireInput, type: MessageType, fields: Mutable, parts: Map<Field, number[]>): void {
  for (const [field, ranges] of parts) {
    if (field.type.kind === 'message') fields[field.jsonName] = readNested(input, type, field, field.type, ranges)
  }
}

/** A message within another: its own faults are located within it. */
function readNested(
  input: WireInput,
  outer: MessageType,
  field: Field,
  type: MessageType,
  parts: readonly number[],
  item?: string | number,
): JsonValue {
  // Google's own messages are not what their JSON looks like, so the names within them would tell nobody anything.
  if (!outer.wellKnown) input.path.push(field.jsonName)
  if (item !== undefined) input.path.push(item)
  input.field = undefined
  input.item = undefined
  const value = readMessage(input, type, parts)
  // To set the length of an array takes longer.
  if (item !== undefined) input.path.pop()
  if (!outer.wellKnown) input.path.pop()
  return value
}

function readItems(input: WireInput, outer: MessageType, field: Field, list: JsonValue[], wireType: number): void {
  input.item = list.length
  if (field.type.kind === 'scalar') {
    readScalars(input, field.type, list, wireType)
    return
  }
  input.expect(wireType, 2)
  const end = input.delimited()
  list.push(readNested(input, outer, field, field.type, [input.position, end], list.length))
  input.position = end
}

/** Numbers come packed, all in one, or one by one: both are taken, whatever the schema says. */
function readScalars(input: WireInput, type: Scalar, list: JsonValue[], wireType: number): void {
  if (wireType !== 2 || type.wireType === 2) {
    input.expect(wireType, type.wireType)
    input.spend(wireType === 2 ? wireUnits.text : wireUnits.number)
    list.push(type.read(input))
    return
  }
  const outerEnd = input.end
  input.end = input.delimited()
  while (input.position < input.end) {
    input.item = list.length
    input.spend(wireUnits.number)
    list.push(type.read(input))
  }
  input.end = outerEnd
}

type Entry = { name: string; value: JsonValue | undefined; readonly parts: number[] }

/** An entry of a map is a message of a key, number 1, and a value, number 2. */
function readEntry(
  input: WireInput,
  outer: MessageType,
  field: Field,
  key: MapKey,
  map: Mutable,
  wireType: number,
): void {
  input.expect(wireType, 2)
  input.spend(wireUnits.entry)
  const outerEnd = input.end
  const end = input.delimited()
  input.end = end
  const entry: Entry = { name: keyName(key.scalar.zero), value: undefined, parts: [] }
  while (input.position < end) readEntryField(input, field.type, key, entry)
  const value =
    field.type.kind === 'scalar'
      ? (entry.value ?? field.type.zero)
      : readNested(input, outer, field, field.type, entry.parts, entry.name)
  setOwn(map, entry.name, value)
  input.position = end
  input.end = outerEnd
}

function readEntryField(input: WireInput, type: Field['type'], { scalar }: MapKey, entry: Entry): void {
  const tag = input.tag()
  const wireType = tag & 7
  if (tag >>> 3 === 1) {
    input.expect(wireType, scalar.wireType)
    entry.name = keyName(scalar.read(input))
  } else if (tag >>> 3 !== 2) input.skip(wireType)
  else if (type.kind === 'scalar') {
    input.expect(wireType, type.wireType)
    entry.value = type.read(input)
  } else {
    input.expect(wireType, 2)
    const end = input.delimited()
    entry.parts.push(input.position, end)
    input.position = end
  }
}

function keyName(key: JsonValue): string {
  return typeof key === 'object' ? '' : String(key)
}

/** A key may be `__proto__`, and an assignment to that would do something else. */
function setOwn(map: Mutable, name: string, value: JsonValue): void {
  if (name !== '__proto__') map[name] = value
  else Object.defineProperty(map, name, { value, writable: true, enumerable: true, configurable: true })
}
