import { MillraceError } from '@millrace/core/errors'
import { isJsonObject, type JsonObject, type JsonValue, parsedJson } from '@millrace/core/json'

const requestTimeoutMaxMs = 30_000

/** How Flink's REST servers, and what may stand in front of them, say that they cannot answer yet. */
const unavailable: readonly number[] = [502, 503, 504]

type Method = 'GET' | 'POST' | 'DELETE' | 'PATCH'

/**
 * One request to one of Flink's REST servers, which answer in JSON objects. It takes 30 seconds at most, or `timeoutMs` where that is less.
 * @throws MillraceError `flink.unavailable` when there is no answer, `flink.refused` with Flink's root cause when the answer is no.
 */
export async function request(url: URL, method: Method, body?: JsonObject, timeoutMs?: number): Promise<JsonObject> {
  return ask(isJsonObject, url, method, body, timeoutMs)
}

/** The same where the answer is a list: of metrics. */
export async function requestList(url: URL): Promise<JsonObject[]> {
  return objectsOf(await ask(isList, url, 'GET'))
}

async function ask<T>(
  isAnswer: (value: unknown) => value is T,
  url: URL,
  method: Method,
  body?: JsonObject,
  timeoutMs = requestTimeoutMaxMs,
): Promise<T> {
  const wholeMs = Math.ceil(Math.min(Math.max(timeoutMs, 0), requestTimeoutMaxMs))
  const { status, text } = await send(url, method, body, AbortSignal.timeout(wholeMs))
  const answer = parsedJson(text === '' ? '{}' : text)
  if (status >= 200 && status < 300 && isAnswer(answer)) return answer
  throw new MillraceError(
    unavailable.includes(status) ? 'flink.unavailable' : 'flink.refused',
    `Flink answered ${method} ${url.pathname} with ${status}: ${causeOf(answer, text)}`,
  )
}

function isList(value: unknown): value is readonly JsonValue[] {
  return Array.isArray(value)
}

async function send(
  url: URL,
  method: string,
  body: JsonObject | undefined,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      method,
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    return { status: response.status, text: await response.text() }
  } catch (cause) {
    throw new MillraceError('flink.unavailable', `Flink does not answer at ${url.origin}: see whether it runs`, {
      cause,
    })
  }
}

function causeOf(answer: unknown, text: string): string {
  const errors = isJsonObject(answer) ? answer['errors'] : undefined
  const last = Array.isArray(errors) ? errors.filter((error) => typeof error === 'string').at(-1) : undefined
  return rootCause(last ?? text)
}

/** The innermost `Caused by:` of a Java stack trace, which says what is wrong; the lines around it say who noticed. */
export function rootCause(trace: string): string {
  const lines = trace.split('\n').filter((line) => !/^\s+(at |\.\.\. \d+ more)/.test(line))
  const cause = lines.findLast((line) => line.startsWith('Caused by: ')) ?? lines.find((line) => line.trim() !== '')
  return (cause ?? 'no reason given').replace('Caused by: ', '').trim()
}

/** The text of a field of an answer, or `undefined`. */
export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The objects in a list of an answer. */
export function objectsOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}
