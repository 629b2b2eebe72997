/** One codec for every format: what a producer sends becomes what Kafka keeps, and what Kafka keeps becomes what a reader sees. */
import type { Violation } from '@millrace/core/cloud-event'
import type { SchemaDocument, SchemaFormat } from '@millrace/core/event-type'
import type { JsonValue } from '@millrace/core/json'

/** A schema with the texts that it refers to, under the names by which it refers to them. */
export type SchemaSource = {
  readonly format: SchemaFormat
  readonly schema: SchemaDocument
  readonly references: readonly { readonly name: string; readonly schema: string }[]
}

/** A payload that fits its schema, or everything that is wrong with it, up to `violationsMax`. */
export type Coded =
  | {
      readonly ok: true
      /** In the format's own encoding, without the registry's frame. */
      readonly value: Buffer
      /** The same as JSON, as readers see it. */
      readonly data: JsonValue
    }
  | { readonly ok: false; readonly violations: readonly Violation[] }

/** Reads payloads in the format's own encoding. `messageIndexes` name the message within a Protobuf file: the first unless said. */
export type Decode = (bytes: Buffer, messageIndexes?: readonly number[]) => Coded

export type Codec = {
  readonly format: SchemaFormat
  /** Takes a payload as JSON, in the format's own JSON encoding. */
  readonly fromJson: (data: JsonValue) => Coded
  /** Takes a payload that was written with exactly this schema. */
  readonly fromBytes: Decode
  /**
   * What takes payloads that were written with another version of the schema, and sees them as this one does.
   * @throws MillraceError 'registry.refused' when this schema cannot read what that one writes
   */
  readonly fromVersion: (writer: SchemaSource) => Decode
}
