import { type Duration, milliseconds } from './duration.ts'
import type { EventType } from './event-type.ts'
import type { Pipeline } from './pipeline.ts'

/** A Snowflake table that holds every event of a type once, loaded by Kafka Connect. */
export type SnowflakeSink = {
  readonly kind: 'snowflake'
  readonly name: string
  readonly from: EventType
  readonly database: string
  readonly schema: string
  readonly table: string
  /** The longest that an event waits in the connector's buffer. */
  readonly flushMs: number
}

export type SnowflakeOptions = {
  readonly from: EventType | Pipeline
  readonly database: string
  readonly schema: string
  readonly table: string
  readonly flush?: Duration
}

const identifier = /^[A-Z][A-Z0-9_]*$/

/**
 * Declares a Snowflake sink.
 * @throws RangeError when a database, schema or table name is not an upper-case identifier that needs no quotes.
 */
export function snowflake(options: SnowflakeOptions): SnowflakeSink {
  const { database, schema, table } = options
  for (const [role, name] of Object.entries({ database, schema, table })) {
    if (!identifier.test(name)) {
      throw new RangeError(`snowflake sink: ${role} "${name}" must be upper-case letters, digits and "_"`)
    }
  }
  const from = options.from.kind === 'pipeline' ? options.from.result : options.from
  if (from.format !== 'json')
    throw new RangeError(`snowflake sink: ${from.name} is in ${from.format}: only JSON can be loaded`)
  return {
    kind: 'snowflake',
    name: `snowflake-${from.name}`,
    from,
    database,
    schema,
    table,
    flushMs: milliseconds(options.flush ?? '1 second'),
  }
}
