/**
 * Google's messages that have a JSON encoding of their own. `google.protobuf.Any` is not among them: what it holds could not be checked.
 * @see https://protobuf.dev/programming-guides/json/
 */
import { isJsonObject, type JsonValue } from '@millrace/core/json'
import { Refusal, type WellKnown } from './protobuf-descriptor.ts'
import { exactSource } from './protobuf-integer.ts'
import { scalarNamed } from './protobuf-scalar.ts'
import { duration, timestamp } from './protobuf-time.ts'

const noUnits = () => 0

const wrapper: Omit<WellKnown, 'shape'> = {
  units: noUnits,
  toJson: (fields) => fields['value'] ?? null,
  fromJson: (value) => ({ value }),
}

const struct: WellKnown = {
  shape: { type: 'object' },
  units: noUnits,
  toJson: (fields) => fields['fields'] ?? {},
  fromJson: (value) => (isJsonObject(value) ? { fields: value } : new Refusal('must be a JSON object')),
}

const listValue: WellKnown = {
  shape: { type: 'array' },
  units: noUnits,
  toJson: (fields) => fields['values'] ?? [],
  fromJson: (values) => (Array.isArray(values) ? { values } : new Refusal('must be a JSON array')),
}

/** A value is a message with a oneof, and gives up its object again. */
const unitsPerValue = 8

const value: WellKnown = {
  shape: {},
  units: () => unitsPerValue,
  toJson: (fields) => {
    const number = fields['numberValue']
    if (typeof number === 'string') return new Refusal(`is ${number}, which JSON does not have`)
    // Exactly one of them is there; a value of none of them says nothing.
    return Object.values(fields)[0] ?? null
  },
  fromJson: (json) => {
    if (json === null) return { nullValue: null }
    if (typeof json === 'boolean') return { boolValue: json }
    if (typeof json === 'number') return { numberValue: json }
    if (typeof json === 'string') return { stringValue: json }
    if (exactSource(json) !== undefined) return new Refusal('is beyond 2^53, where its digits would be lost')
    return isJsonObject(json) ? { structValue: json } : { listValue: json }
  },
}

/** Each path is looked through letter by letter, there and back. */
const unitsPerPath = 20
const unitsPerLetter = 10
const fieldMaskText = /^[A-Za-z0-9.,]*$/

const fieldMask: WellKnown = {
  shape: { type: 'string', pattern: fieldMaskText.source, examples: ['displayName'] },
  units: (given) => {
    const paths = isJsonObject(given) ? textsOf(given['paths']) : []
    const text = typeof given === 'string' ? given.length : 0
    return paths.reduce((sum, path) => sum + unitsPerPath + unitsPerLetter * path.length, unitsPerLetter * text)
  },
  toJson: (fields) => {
    const paths = textsOf(fields['paths'])
    if (!paths.every((path) => /^[a-z0-9_.]*$/.test(path) && snake(camel(path)) === path)) {
      return new Refusal('has a path that JSON cannot say: lower-case names with single underscores only')
    }
    return paths.map(camel).join(',')
  },
  fromJson: (json) => {
    const sound = typeof json === 'string' && fieldMaskText.test(json)
    if (!sound) return new Refusal('must be paths in lowerCamelCase, as in "user.displayName,photo"')
    return { paths: json === '' ? [] : json.split(',').map(snake) }
  },
}

function textsOf(json: JsonValue | undefined): string[] {
  return Array.isArray(json) ? json.map(String) : []
}

function camel(path: string): string {
  return path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function snake(path: string): string {
  return path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

const wrappers = ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes']

const wellKnown = new Map<string, WellKnown>([
  ['google.protobuf.Timestamp', timestamp],
  ['google.protobuf.Duration', duration],
  ['google.protobuf.Struct', struct],
  ['google.protobuf.Value', value],
  ['google.protobuf.ListValue', listValue],
  ['google.protobuf.FieldMask', fieldMask],
  ...wrappers.map((name): [string, WellKnown] => [
    `google.protobuf.${name}Value`,
    { ...wrapper, shape: scalarNamed(name.toLowerCase())?.shape ?? {} },
  ]),
])

export function wellKnownNamed(name: string): WellKnown | undefined {
  return wellKnown.get(name)
}

/** The files that a schema may import without bringing them along. */
export const wellKnownFiles: ReadonlySet<string> = new Set(
  ['duration', 'empty', 'field_mask', 'struct', 'timestamp', 'wrappers'].map((name) => `google/protobuf/${name}.proto`),
)
