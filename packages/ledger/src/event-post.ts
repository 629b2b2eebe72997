import { isJsonObject, type JsonObject } from '@millrace/core/json'
import { Pool } from 'undici'

import type { AccessToken } from './access-token.ts'

/** What the gateway says of one event of a batch. */
export type EventResult =
  | { readonly status: 'accepted' | 'duplicate'; readonly partition: number; readonly offset: number }
  | { readonly status: 'rejected' | 'unconfirmed' | 'unsent'; readonly detail: string }

/**
 * What became of a request as a whole. `unconfirmed`: stored or not, send it again with the same ids. `unsent`: no byte of it left, so it
 * cannot have been stored.
 */
export type PostOutcome =
  | { readonly kind: 'answered'; readonly results: readonly EventResult[] }
  | { readonly kind: 'unconfirmed'; readonly detail: string; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'refused' | 'unsent'; readonly detail: string }

/** Posts a batch of structured CloudEvents (a JSON array) of `events` events. */
export type PostEvents = (body: string, events: number) => Promise<PostOutcome>

export type EventPost = { post: PostEvents; close(): Promise<void> }

export type EventPostOptions = {
  readonly gatewayUrl: string
  readonly token: AccessToken
  /** One per lane: a lane has one request in flight. */
  readonly connections: number
  readonly answerTimeoutMs?: number
}

/** Opens the way to `POST /v1/events` over connections that are kept alive. Never throws for what the gateway answers. */
export function openEventPost(options: EventPostOptions): EventPost {
  const { gatewayUrl, token, connections, answerTimeoutMs = 30_000 } = options
  const pool = new Pool(gatewayUrl, {
    connections,
    pipelining: 1,
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
    connectTimeout: 5_000,
  })
  const attempt = async (body: string, events: number): Promise<PostOutcome> => {
    const {
      statusCode,
      headers,
      body: answer,
    } = await pool.request({
      method: 'POST',
      path: '/v1/events',
      headers: {
        authorization: `Bearer ${await token.current()}`,
        'content-type': 'application/cloudevents-batch+json',
      },
      body,
    })
    const text = await answer.text()
    // A token may have expired, or its key been rotated, on the way: a new one is asked for and the batch sent again.
    if (statusCode === 401) token.renew()
    return outcomeOf(statusCode, text, events, retryAfter(headers['retry-after']))
  }
  return {
    post: (body, events) =>
      attempt(body, events).catch((error: unknown): PostOutcome => {
        const detail = error instanceof Error ? error.message : String(error)
        return isUnsent(error) ? { kind: 'unsent', detail } : { kind: 'unconfirmed', detail, retryAfterMs: undefined }
      }),
    close: () => pool.close(),
  }
}

/**
 * Whether an error says that there was no connection to send the request over: connecting was refused. With one request in flight on a
 * connection (`pipelining: 1`), undici gives this error only to requests that it has not begun to write. Every other error leaves it open.
 */
function isUnsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
}

const tryAgain = new Set([401, 408, 425, 429])

/** Whether a status says that the request will be refused the next time too. */
export function isRefusal(statusCode: number): boolean {
  return statusCode >= 400 && statusCode < 500 && !tryAgain.has(statusCode)
}

/** Reads an answer of `POST /v1/events` to a batch. An answer that is not in the contract confirms nothing. */
export function outcomeOf(
  statusCode: number,
  text: string,
  events: number,
  retryAfterMs: number | undefined,
): PostOutcome {
  const answer = parsed(text)
  const results = isJsonObject(answer) ? resultsOf(answer, events) : undefined
  if (results) return { kind: 'answered', results }
  const detail = `${statusCode} ${text.slice(0, 300)}`
  if (isRefusal(statusCode)) return { kind: 'refused', detail }
  return { kind: 'unconfirmed', detail, retryAfterMs }
}

/** JSON, or `undefined` where a text is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function resultsOf(answer: JsonObject, events: number): EventResult[] | undefined {
  const { results } = answer
  if (!Array.isArray(results) || results.length !== events) return undefined
  const read = results.map(resultOf).filter((result) => result !== undefined)
  return read.length === events ? read : undefined
}

function resultOf(value: unknown, index: number): EventResult | undefined {
  if (!isJsonObject(value) || value['index'] !== index) return undefined
  const { status, partition, problem } = value
  const offset = offsetOf(value['offset'])
  switch (status) {
    case 'accepted':
    case 'duplicate':
      return typeof partition === 'number' && offset !== undefined ? { status, partition, offset } : undefined
    case 'rejected':
    case 'unconfirmed':
      return { status, detail: JSON.stringify(problem ?? null).slice(0, 300) }
    default:
      return undefined
  }
}

/** A number, or the digits of one. */
function offsetOf(value: unknown): number | undefined {
  const digits = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  const offset = /^\d+$/.test(digits) ? Number(digits) : NaN
  return Number.isSafeInteger(offset) ? offset : undefined
}

function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = Number(header)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined
}
