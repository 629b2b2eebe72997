/** What a `.proto` file says, in the shape in which bytes and JSON are read and written by it. */
import type { JsonObject, JsonValue } from '@millrace/core/json'
import type { Writer } from 'protobufjs'
import type { WireInput, WireType } from './protobuf-wire.ts'

/** A value that is not a message: a scalar, or a value of an enum. */
export type Scalar = {
  readonly kind: 'scalar'
  readonly wireType: WireType
  /** What readers see where the field is absent. */
  readonly zero: JsonValue
  /** What readers see, as a JSON Schema. */
  readonly shape: JsonObject
  readonly read: (input: WireInput) => JsonValue
  /** Writes JSON as the value, or says what is wrong with it. */
  readonly write: (value: JsonValue, writer: Writer, how: Placing) => string | undefined
}

/** The tag that stands before a value, none within a packed list; and whether a zero is left out. */
export type Placing = { readonly tag: number | undefined; readonly zeroLeftOut: boolean }

export type MessageType = {
  readonly kind: 'message'
  /** With its package, without a leading dot. */
  readonly name: string
  /** In ascending order of their numbers. */
  readonly fields: readonly Field[]
  readonly byNumber: ReadonlyMap<number, Field>
  /** Both by the names that the fields have in JSON and by those that they have in the file. */
  readonly byName: ReadonlyMap<string, Field>
  /** The fields that readers see even where they are absent, in the order of the file. */
  readonly defaults: JsonObject
  /** How many values that is. */
  readonly defaultsCount: number
  /** Messages with a JSON encoding of their own. */
  readonly wellKnown: WellKnown | undefined
}

export type Field = {
  readonly name: string
  readonly jsonName: string
  readonly number: number
  /** Where it stands among its message's fields. */
  readonly place: number
  readonly type: Scalar | MessageType
  readonly shape: 'singular' | 'repeated' | 'map'
  /** Of a map: how its keys are read and written. */
  readonly key: MapKey | undefined
  /** Whether absent and zero are different things. */
  readonly presence: boolean
  readonly oneof: string | undefined
  /** Whether JSON's null is a value of it; else null means that it is absent. */
  readonly nullable: boolean
}

export type MapKey = {
  readonly scalar: Scalar
  /** What names readers see, as a JSON Schema. */
  readonly names: JsonObject
  /** A property's name as the key that it stands for; `undefined` where it stands for none. */
  readonly parse: (name: string) => JsonValue | undefined
}

export type WellKnown = {
  /** What readers see, as a JSON Schema. */
  readonly shape: JsonObject
  readonly toJson: (fields: JsonObject) => JsonValue | Refusal
  readonly fromJson: (value: JsonValue) => JsonObject | Refusal
  /** What either takes beyond what any message does, in `wireUnits`, by what is given. */
  readonly units: (given: JsonValue) => number
}

/** Why a value is not taken. */
export class Refusal {
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
}
