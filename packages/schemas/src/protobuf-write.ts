/** From ProtoJSON to Protobuf's bytes, naming all that is wrong with it. */
import type { Violation } from '@millrace/core/cloud-event'
import { isJsonObject, type JsonObject, type JsonValue, pointerOf } from '@millrace/core/json'
import { Writer } from 'protobufjs'
import { violationsMax } from './json-schema.ts'
import { type Field, type MapKey, type MessageType, Refusal } from './protobuf-descriptor.ts'
import { exactSource } from './protobuf-integer.ts'
import { TooMuchWork } from './work-budget.ts'

const nestingMax = 64
const lengthDelimited = 2

type Writing = {
  readonly writer: Writer
  readonly violations: Violation[]
  /** Where in the JSON we are. */
  readonly path: (string | number)[]
  nesting: number
  unitsLeft: number
}

/** What a payload may take to write, in the units of reading it: some 30 ms. */
const unitsMax = 1_200_000
/** Of an integer beyond 2^53 each digit is looked at. */
const writingUnits = { scalar: 3, exact: 25, message: 20, entry: 24 } as const

function spend(writing: Writing, units: number): void {
  writing.unitsLeft -= units
  if (writing.unitsLeft < 0) throw new TooMuchWork()
}

/** The bytes of a message, or what is wrong with the JSON: up to `violationsMax` things. */
export function writePayload(type: MessageType, data: JsonValue): Buffer | readonly Violation[] {
  const writing: Writing = { writer: Writer.create(), violations: [], path: [], nesting: 0, unitsLeft: unitsMax }
  try {
    writeMessage(writing, type, data)
  } catch (error) {
    if (!(error instanceof TooMuchWork)) throw error
    return [{ pointer: '', detail: error.message }]
  }
  return writing.violations.length > 0 ? writing.violations : Buffer.from(writing.writer.finish())
}

function violate({ violations, path }: Writing, detail: string, ...below: readonly (string | number)[]): void {
  if (violations.length < violationsMax) violations.push({ pointer: pointerOf(...path, ...below), detail })
}

function writeMessage(writing: Writing, type: MessageType, value: JsonValue): void {
  if (writing.nesting >= nestingMax) {
    violate(writing, `is nested more than ${nestingMax} messages deep`)
    return
  }
  spend(writing, writingUnits.message + (type.wellKnown?.units(value) ?? 0))
  const object = type.wellKnown ? type.wellKnown.fromJson(value) : objectOf(value)
  if (object instanceof Refusal) {
    violate(writing, object.detail)
    return
  }
  writing.nesting++
  const given = fieldsOf(writing, type, object)
  for (const field of type.fields) {
    const json = given[field.place]
    if (json !== undefined) writeField(writing, type, field, json)
  }
  writing.nesting--
}

function objectOf(value: JsonValue): JsonObject | Refusal {
  return isJsonObject(value) && exactSource(value) === undefined ? value : new Refusal('must be a JSON object')
}

/** What is given for each field, in the fields' places. Names that are no field's are violations: a typo must not vanish. */
function fieldsOf(writing: Writing, type: MessageType, object: JsonObject): (JsonValue | undefined)[] {
  const given = new Array<JsonValue | undefined>(type.fields.length).fill(undefined)
  let chosen: Map<string, Field> | undefined
  for (const name of Object.keys(object)) {
    const value = object[name] ?? null
    const field = type.byName.get(name)
    if (!field) {
      violate(writing, `is not a field of ${type.name}`, name)
    } else if (value !== null || (field.nullable && field.shape === 'singular')) {
      if (given[field.place] !== undefined) {
        violate(writing, `is given twice, as ${field.jsonName} and as ${field.name}`, name)
      }
      if (field.oneof !== undefined) {
        chosen ??= new Map<string, Field>()
        choose(writing, chosen, field, field.oneof, name)
      }
      given[field.place] = value
    }
  }
  return given
}

function choose(writing: Writing, chosen: Map<string, Field>, field: Field, oneof: string, name: string): void {
  const other = chosen.get(oneof)
  if (other && other !== field) violate(writing, `is given beside ${other.jsonName}: of ${oneof} only one may be`, name)
  chosen.set(oneof, field)
}

function writeField(writing: Writing, outer: MessageType, field: Field, value: JsonValue): void {
  // Google's own messages have no such names in JSON.
  if (!outer.wellKnown) writing.path.push(field.jsonName)
  if (field.shape === 'repeated') writeItems(writing, field, value)
  else if (field.key) writeMap(writing, field, field.key, value)
  else writeOne(writing, field, value, field.number, !field.presence)
  // To set the length of an array takes longer.
  if (!outer.wellKnown) writing.path.pop()
}

function writeOne(writing: Writing, { type }: Field, value: JsonValue, number: number, zeroLeftOut: boolean): void {
  if (type.kind === 'scalar') {
    const refusal = type.write(value, writing.writer, { tag: (number << 3) | type.wireType, zeroLeftOut })
    if (refusal !== undefined) violate(writing, refusal)
    return
  }
  writing.writer.uint32(((number << 3) | lengthDelimited) >>> 0).fork()
  writeMessage(writing, type, value)
  writing.writer.ldelim()
}

function writeItems(writing: Writing, field: Field, value: JsonValue): void {
  if (!Array.isArray(value)) {
    violate(writing, 'must be a JSON array')
    return
  }
  const items: readonly JsonValue[] = value
  const packed = field.type.kind === 'scalar' && field.type.wireType !== lengthDelimited
  if (items.length === 0) return
  if (packed) writing.writer.uint32(((field.number << 3) | lengthDelimited) >>> 0).fork()
  items.forEach((item, index) => {
    writing.path.push(index)
    writeItem(writing, field, item, packed)
    writing.path.pop()
  })
  if (packed) writing.writer.ldelim()
}

function writeItem(writing: Writing, field: Field, item: JsonValue, packed: boolean): void {
  spend(writing, field.type.kind === 'scalar' && typeof item === 'object' ? writingUnits.exact : writingUnits.scalar)
  if (item === null && !field.nullable) {
    violate(writing, 'must not be null')
  } else if (packed && field.type.kind === 'scalar') {
    const refusal = field.type.write(item, writing.writer, { tag: undefined, zeroLeftOut: false })
    if (refusal !== undefined) violate(writing, refusal)
  } else writeOne(writing, field, item, field.number, false)
}

function writeMap(writing: Writing, field: Field, key: MapKey, value: JsonValue): void {
  const object = objectOf(value)
  if (object instanceof Refusal) {
    violate(writing, object.detail)
    return
  }
  for (const [name, entry] of Object.entries(object)) {
    writing.path.push(name)
    writeEntry(writing, field, key, name, entry)
    writing.path.pop()
  }
}

function writeEntry(writing: Writing, field: Field, { scalar, parse }: MapKey, name: string, value: JsonValue): void {
  spend(writing, writingUnits.entry)
  const key = parse(name)
  if (key === undefined) {
    violate(writing, 'is not a key of this map')
    return
  }
  writing.writer.uint32(((field.number << 3) | lengthDelimited) >>> 0).fork()
  const refusal = scalar.write(key, writing.writer, { tag: 8 | scalar.wireType, zeroLeftOut: false })
  if (refusal !== undefined) violate(writing, `is not a key of this map: ${refusal}`)
  if (value === null && !field.nullable) violate(writing, 'must not be null')
  else writeOne(writing, field, value, 2, false)
  writing.writer.ldelim()
}
