import type { SchemaSource } from './codec.ts'

/** A schema of the registry, with the texts that it refers to. */
export type CachedSchema = SchemaSource & {
  readonly id: number
  /** The subjects that had it when they were last asked for. */
  readonly subjects: readonly string[]
}
