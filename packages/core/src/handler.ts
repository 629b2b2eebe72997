import type { CloudEvent } from './cloud-event.ts'
import { type Duration, milliseconds } from './duration.ts'
import type { EventType } from './event-type.ts'
import type { Fields, FieldType } from './field.ts'
import type { JsonObject, JsonPointer } from './json.ts'
import { nameViolation } from './topic-name.ts'

type ScalarOf<Type extends FieldType> = Type extends 'number' | 'integer'
  ? number
  : Type extends 'boolean'
    ? boolean
    : string

/** The data of an event type, as far as its fields are known. */
export type DataOf<F extends Fields> = string extends keyof F
  ? JsonObject
  : JsonObject & {
      readonly [Name in keyof F as F[Name]['nullable'] extends false ? Name : never]: ScalarOf<F[Name]['type']>
    } & {
      readonly [Name in keyof F as F[Name]['nullable'] extends false ? never : Name]?: ScalarOf<F[Name]['type']>
    }

/** An event as its handler gets it: its data fits the schema of its type. */
export type HandledEvent<F extends Fields = Fields> = CloudEvent & { readonly data: DataOf<F> }

export type HandlerContext = {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** When the event was stored, in ms since 1970. */
  readonly timestampMs: number
  /** From 1. */
  readonly attempt: number
  /**
   * The same for each attempt at an event, and for each copy of it: what a call to the outside is to be known by, since that may be made
   * twice.
   */
  readonly idempotencyKey: string
  /** Aborted when the time of the attempt is over, or the event is another worker's. */
  readonly signal: AbortSignal
}

/** An event that a handler makes of the one that it was given. */
export type Publication = {
  readonly type: EventType
  readonly data: JsonObject
  readonly subject: string | undefined
}

/**
 * What becomes of an event. `ok` and `drop` end it; `retry` has it tried again, later and later, and in the end dead-lettered; `dead-letter`
 * gives it up at once.
 */
export type Outcome =
  | { readonly kind: 'ok'; readonly publications: readonly Publication[] }
  | { readonly kind: 'drop'; readonly reason: string }
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs: number | undefined }
  | { readonly kind: 'dead-letter'; readonly detail: string; readonly pointer: JsonPointer | undefined }

/**
 * The event is done. What is published is stored in one transaction with the fact that it is.
 * @public
 */
export function ok(...publications: readonly Publication[]): Outcome {
  return { kind: 'ok', publications }
}

/**
 * The event is none for this handler.
 * @public
 */
export function drop(reason: string): Outcome {
  return { kind: 'drop', reason }
}

/**
 * Not now: what is needed for it is not there. Events with other keys go on meanwhile.
 * @public
 */
export function retry(reason: string, options: { readonly after?: Duration } = {}): Outcome {
  return { kind: 'retry', reason, afterMs: options.after === undefined ? undefined : milliseconds(options.after) }
}

/**
 * Never: nothing can be done with it. `detail` may be shown to everybody who may see that the event failed.
 * @public
 */
export function deadLetter(detail: string, options: { readonly pointer?: JsonPointer } = {}): Outcome {
  return { kind: 'dead-letter', detail, pointer: options.pointer }
}

/** An event of a type that the handler declares in `to`. */
export function publish<F extends Fields>(
  type: EventType<F>,
  data: DataOf<F>,
  options: { readonly subject?: string } = {},
): Publication {
  return { type, data, subject: options.subject }
}

/** Code that is run for every event of a type, by workers of a consumer group. */
export type Handler = {
  readonly kind: 'handler'
  readonly name: string
  readonly from: EventType
  readonly to: readonly EventType[]
  /** A method, so that a handler of one type of event is a handler. */
  handle(event: HandledEvent, context: HandlerContext): Outcome | Promise<Outcome>
  readonly concurrency: number
  readonly attemptsMax: number
  readonly retryWithinMs: number
  readonly timeoutMs: number
}

export type HandlerOptions<F extends Fields> = {
  readonly from: EventType<F>
  /** The types of event that it publishes. */
  readonly to?: readonly EventType[]
  readonly handle: (event: HandledEvent<F>, context: HandlerContext) => Outcome | Promise<Outcome>
  /** How many events a worker has under way at once; those of one key always take turns. */
  readonly concurrency?: number
  readonly attemptsMax?: number
  /** How long an event may be tried again and again. That holds up later events of its key. */
  readonly retryWithin?: Duration
  /** How long one attempt may take. */
  readonly timeout?: Duration
}

const nameLengthMax = 100
const concurrencyMax = 1_000

/**
 * Declares a handler. It runs exactly once for each event as far as Kafka goes: what it publishes, its dead letters and its place in the
 * topic are stored in one transaction. What it does elsewhere may be done twice, with the same `idempotencyKey`.
 * @throws RangeError when the name is reserved or malformed, or a number is out of bounds
 */
export function handler<F extends Fields>(name: string, options: HandlerOptions<F>): Handler {
  const violation = nameViolation(name)
  if (violation) throw new RangeError(`handler "${name}" ${violation}`)
  if (name.length > nameLengthMax) throw new RangeError(`handler "${name}" is longer than ${nameLengthMax} characters`)
  const { from, to = [], handle, concurrency = 16, attemptsMax = 5 } = options
  requireCount(name, 'concurrency', concurrency, concurrencyMax)
  requireCount(name, 'attemptsMax', attemptsMax, concurrencyMax)
  return {
    kind: 'handler',
    name,
    from,
    to,
    handle,
    concurrency,
    attemptsMax,
    retryWithinMs: milliseconds(options.retryWithin ?? '1 minute'),
    timeoutMs: milliseconds(options.timeout ?? '30 seconds'),
  }
}

/** As whom a handler gives events up, and accounts for those that it is done with. */
export function handlerReader(name: string): string {
  return `worker/${name}`
}

/** The consumer group of a handler's workers. */
export function handlerGroup(name: string): string {
  return `worker-${name}`
}

function requireCount(name: string, setting: string, count: number, max: number): void {
  if (Number.isSafeInteger(count) && count >= 1 && count <= max) return
  throw new RangeError(`handler "${name}": ${setting} must be a whole number from 1 to ${max}`)
}
