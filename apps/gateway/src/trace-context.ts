/** W3C Trace Context: the trace that a request or an event came with goes on in the record, with the gateway as its newest hop. */

/** Where a trace stands, without the hop that it came from. */
export type Trace = { readonly traceId: string; readonly flags: string; readonly state: string | undefined }

type Carrier = { readonly traceparent?: unknown; readonly tracestate?: unknown }

/** A later version may say more, and is read as far as this one goes (§3.2.4). */
const form = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const zeros = /^0+$/
const stateLengthMax = 512

/**
 * The trace of a request's headers, or of an event's attributes (the Distributed Tracing extension of CloudEvents). One that is not valid
 * is none: the gateway records no spans, so a trace that began here would lead nowhere.
 * @see https://www.w3.org/TR/trace-context/
 */
export function traceOf({ traceparent, tracestate }: Carrier): Trace | undefined {
  const [, version, traceId, parentId, flags, rest] =
    form.exec(typeof traceparent === 'string' ? traceparent : '') ?? []
  if (traceId === undefined || parentId === undefined || flags === undefined) return undefined
  if (zeros.test(traceId) || zeros.test(parentId) || (version === '00' && rest !== undefined)) return undefined
  const state = typeof tracestate === 'string' && tracestate.length <= stateLengthMax ? tracestate : undefined
  return { traceId, flags, state: state === '' ? undefined : state }
}

/** The headers of the next hop of a trace. */
export function nextHop({ traceId, flags, state }: Trace): ReadonlyMap<string, string> {
  const headers = new Map([['traceparent', `00-${traceId}-${spanId()}-${flags}`]])
  if (state !== undefined) headers.set('tracestate', state)
  return headers
}

/** Must be unlike others of its trace, not secret. Never zero. */
function spanId(): string {
  return word(1) + word(0)
}

function word(least: number): string {
  return Math.floor(least + Math.random() * (2 ** 32 - least))
    .toString(16)
    .padStart(8, '0')
}
