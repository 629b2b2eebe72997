/** From what a client sent to an event of a type that the client may write: scope, envelope, look-up, in this order. */
import { randomUUID } from 'node:crypto'
import type { CatalogEntry } from '@millrace/core/catalog'
import {
  type EventContent,
  type EventContext,
  type Given,
  parseContext,
  parseStructuredEvent,
  type Violation,
} from '@millrace/core/cloud-event'
import { isJsonObject, type JsonObject } from '@millrace/core/json'
import { inputViolation } from '@millrace/schemas/exact-json'
import { allows, type Identity } from './authentication.ts'
import type { EventTypes } from './event-types.ts'
import { encodingOf, notKept, type Payload } from './payloads.ts'
import { type Problem, problem } from './problem.ts'

/** An event in structured mode, as parsed JSON, or its attributes and its data apart, as in binary mode. */
export type Submitted =
  | {
      readonly value: unknown
      /** JSON in which nothing is marked as impossible to keep. */
      readonly plain: boolean
    }
  | { readonly attributes: JsonObject; readonly payload: Payload }

/** `id` is null where the event has none and was refused before it could be given one. */
export type Rejected = { readonly status: 'rejected'; readonly id: string | null; readonly problem: Problem }

export type Submission = {
  readonly context: EventContext
  readonly given: Given
  readonly payload: Payload
  readonly entry: CatalogEntry
}

type Opened = Omit<Submission, 'entry'>

const defaults = { id: () => randomUUID(), time: () => new Date().toISOString() }

/** Looks at an event as far as it can be judged without its data. What the token does not allow is not looked at. */
export function readSubmission(
  submitted: Submitted,
  identity: Identity,
  eventTypes: Pick<EventTypes, 'find'>,
): Submission | Rejected {
  const claimed = memberOf(submitted, 'type')
  if (claimed && !allows(identity, 'events:write', claimed)) {
    return rejected(idOf(submitted), problem(403, `the token lacks the scope events:write:${claimed}`))
  }
  const opened = 'value' in submitted ? openStructured(submitted.value, submitted.plain) : openBinary(submitted)
  if ('problem' in opened) return opened
  const { id, type } = opened.context
  const entry = eventTypes.find(type)
  return entry ? { ...opened, entry } : rejected(id, problem(404, `there is no event type "${type}"`))
}

/** The id that a producer gave to what may be no event at all. */
export function idOf(submitted: Submitted): string | null {
  return memberOf(submitted, 'id') ?? null
}

function memberOf(submitted: Submitted, name: 'id' | 'type'): string | undefined {
  const value = 'value' in submitted ? submitted.value : submitted.attributes
  const member = isJsonObject(value) ? value[name] : undefined
  return typeof member === 'string' ? member : undefined
}

export function rejected(id: string | null, told: Problem): Rejected {
  return { status: 'rejected', id, problem: told }
}

function openStructured(value: unknown, plain: boolean): Opened | Rejected {
  const id = idOf({ value, plain })
  const unstorable = plain ? undefined : inputViolation(value)
  if (unstorable) return rejected(id, notKept(unstorable))
  const parsed = parseStructuredEvent(value, defaults)
  if (!parsed.ok) return rejected(id, noEvent(parsed.violations))
  const { context, given } = parsed
  const payload = payloadOf(parsed.content, plain, context.attributes['datacontenttype'])
  return payload ? { context, given, payload } : rejected(id, problem(415, 'the datacontenttype is none that is taken'))
}

function openBinary({ attributes, payload }: Extract<Submitted, { payload: Payload }>): Opened | Rejected {
  const parsed = parseContext(attributes, defaults)
  const id = idOf({ attributes, payload })
  const unstorable = 'data' in payload && !payload.plain ? inputViolation(payload.data, ['data']) : undefined
  if (unstorable) return rejected(id, notKept(unstorable))
  return parsed.ok ? { ...parsed, payload } : rejected(id, noEvent(parsed.violations))
}

/** Bytes without a media type are in the encoding of their event type: that is for `take` to find out. */
function payloadOf(content: EventContent, plain: boolean, mediaType: string | undefined): Payload | undefined {
  if ('data' in content) return { data: content.data, plain }
  const encoding = mediaType === undefined ? 'own' : encodingOf(mediaType)
  return encoding && { bytes: Buffer.from(content.base64, 'base64'), encoding }
}

function noEvent(errors: readonly Violation[]): Problem {
  return problem(400, 'this is not a CloudEvent', { errors })
}
