/**
 * A client of the Millrace API that needs nothing but `fetch`: for browsers, Node.js 20 and newer, Deno and Bun.
 * `millrace generate client` puts the event types of a platform before it.
 */

/** The data of each event type, by the type's name. */
export type DataByType = Readonly<Record<string, unknown>>

export type Event<Type extends string, Data> = {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: Type
  readonly time: string
  readonly data: Data
  readonly [attribute: string]: unknown
}

export type Stored<Type extends string, Data> = {
  readonly event: Event<Type, Data>
  readonly partition: number
  readonly offset: number
  /** When the gateway received it. RFC 3339. */
  readonly timestamp: string
}

/** What a slow reader has missed: read it with `page`, from the one cursor to the other. */
export type Gap = { readonly gap: { readonly count: number; readonly from: string; readonly to: string } }
export type Live<Type extends string, Data> = (Stored<Type, Data> & { readonly cursor: string }) | Gap

export type Receipt = {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly status: 'accepted' | 'duplicate'
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: string
  readonly schemaId: number
}

export type Problem = {
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
}

/** The API refused a request, or did not confirm it in time. */
export class MillraceProblem extends Error {
  readonly problem: Problem
  /** How long the API asks to be left alone; 0 where it does not. */
  readonly retryAfterMs: number

  constructor(problem: Problem, retryAfterMs = 0) {
    super(`${problem.status} ${problem.detail}`)
    this.name = 'MillraceProblem'
    this.problem = problem
    this.retryAfterMs = retryAfterMs
  }
}

export type ClientOptions = {
  /** Where the API is, as in `https://events.example.com`. */
  readonly url: string
  /** Asked for before every request, so that a token can be renewed. */
  readonly token: () => string | Promise<string>
  /** The CloudEvents `source` of what is published. */
  readonly source: string
  /** How long an event is sent again while it is not confirmed. */
  readonly confirmTimeoutMs?: number
  /** How long a subscription may be silent before it is taken for broken. The gateway gives a sign of life every 15 seconds. */
  readonly idleTimeoutMs?: number
}

export type Attributes = { readonly id?: string; readonly time?: string; readonly subject?: string }

export type Client<Types extends DataByType> = {
  /**
   * Publishes an event and says where it is stored. Sent again with the same id while it is not confirmed, so it is stored once.
   * Throws MillraceProblem when it is refused, or not confirmed in time.
   */
  publish<Type extends keyof Types & string>(type: Type, data: Types[Type], attributes?: Attributes): Promise<Receipt>
  /** The newest events of a type, newest first. */
  latest<Type extends keyof Types & string>(type: Type, limit?: number): Promise<Stored<Type, Types[Type]>[]>
  /** Events of a type, oldest first, from a cursor, `earliest` or an RFC 3339 time on; and where the next page begins. */
  page<Type extends keyof Types & string>(
    type: Type,
    from: string,
    limit?: number,
  ): Promise<{ readonly events: Stored<Type, Types[Type]>[]; readonly next: string }>
  /** Live events of a type. Comes back by itself after a broken connection, where it was: nothing is left out or repeated. */
  subscribe<Type extends keyof Types & string>(
    type: Type,
    options?: { readonly from?: string; readonly signal?: AbortSignal },
  ): AsyncGenerator<Live<Type, Types[Type]>, void>
}

const retryDelayMinMs = 200
const retryDelayMaxMs = 5_000
const answerTimeoutMs = 30_000
const idleTimeoutMsDefault = 45_000
/** However long the API asks to wait, it is asked again then. */
const retryAfterMsMax = 300_000
/** A broken subscription is opened again no less often, unless the API asks for that. */
const reconnectDelayMaxMs = 30_000

/**
 * Opens a client. It holds nothing open by itself.
 * @public
 */
export function openClient<Types extends DataByType>(options: ClientOptions): Client<Types> {
  const topics = new Map<string, Promise<string>>()
  const topicOf = (type: string): Promise<string> => {
    const known = topics.get(type) ?? latestAnswer(options, type, 1).then(({ topic }) => topic)
    topics.set(type, known)
    known.catch(() => topics.delete(type))
    return known
  }
  return {
    publish: (type, data, attributes = {}) => publish(options, type, data, attributes),
    latest: async <Type extends keyof Types & string>(type: Type, limit = 50) => {
      const { events } = await latestAnswer<Type, Types[Type]>(options, type, limit)
      return events
    },
    page: async (type, from, limit = 50) => {
      const query = new URLSearchParams({ topic: await topicOf(type), from, limit: String(limit) })
      return answered(await request(options, `/v1/events?${query.toString()}`))
    },
    subscribe: async function* (type, { from = 'latest', signal } = {}) {
      yield* follow(options, await topicOf(type), from, signal)
    },
  }
}

type Latest<Type extends string, Data> = { readonly topic: string; readonly events: Stored<Type, Data>[] }

async function latestAnswer<Type extends string, Data>(
  options: ClientOptions,
  type: Type,
  limit: number,
): Promise<Latest<Type, Data>> {
  const query = new URLSearchParams({ type, limit: String(limit) })
  return answered(await request(options, `/v1/events/latest?${query.toString()}`))
}

async function publish(options: ClientOptions, type: string, data: unknown, attributes: Attributes): Promise<Receipt> {
  // Given here and not by the gateway, so that what is sent again is the same event.
  const id = attributes.id ?? crypto.randomUUID()
  const time = attributes.time ?? new Date().toISOString()
  const body = JSON.stringify({ specversion: '1.0', ...attributes, id, time, source: options.source, type, data })
  const deadlineMs = Date.now() + (options.confirmTimeoutMs ?? 60_000)
  for (let delayMs = retryDelayMinMs; ; delayMs = Math.min(retryDelayMaxMs, delayMs * 2)) {
    const outcome = await attempt(options, body)
    if (outcome.ok) return outcome.receipt
    const waitMs = Math.max(outcome.retryAfterMs, delayMs * (0.5 + Math.random() / 2))
    if (!outcome.retryable || Date.now() + waitMs > deadlineMs) throw outcome.error
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

type Attempt =
  | { readonly ok: true; readonly receipt: Receipt }
  | { readonly ok: false; readonly error: Error; readonly retryable: boolean; readonly retryAfterMs: number }

async function attempt(options: ClientOptions, body: string): Promise<Attempt> {
  try {
    const headers = { 'content-type': 'application/cloudevents+json' }
    const answer = await request(options, '/v1/events', { method: 'POST', headers, body })
    if (answer.ok) return { ok: true, receipt: await answered<Receipt>(answer) }
    const error = await problemOf(answer)
    return { ok: false, error, retryable: isRetryable(answer.status), retryAfterMs: error.retryAfterMs }
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    return { ok: false, error, retryable: true, retryAfterMs: 0 }
  }
}

function isRetryable(status: number): boolean {
  return [408, 425, 429].includes(status) || status >= 500
}

async function* follow<Frame extends { readonly cursor: string } | Gap>(
  options: ClientOptions,
  topic: string,
  from: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Frame, void> {
  let cursor = from
  let baseMs = retryDelayMinMs
  let delayMs = baseMs
  while (!isAborted(signal)) {
    let retryAfterMs = 0
    try {
      for await (const { id, data, retryMs } of serverSentEvents(options, topic, cursor, signal)) {
        if (retryMs !== undefined) baseMs = Math.min(reconnectDelayMaxMs, Math.max(retryDelayMinMs, retryMs))
        if (id !== undefined) cursor = id
        if (data !== undefined) yield trusted<Frame>(data)
        delayMs = baseMs
      }
    } catch (error) {
      if (isAborted(signal)) return
      // What is refused now is refused the next time too.
      if (error instanceof MillraceProblem && !isRetryable(error.problem.status)) throw error
      if (error instanceof MillraceProblem) retryAfterMs = error.retryAfterMs
    }
    // Clients of an instance that stops do not come back all at once.
    await pause(Math.max(delayMs, retryAfterMs) * (1 + Math.random() / 2), signal)
    delayMs = Math.min(reconnectDelayMaxMs, delayMs * 2)
  }
}

type ServerSentEvent = {
  readonly id: string | undefined
  readonly data: string | undefined
  readonly retryMs: number | undefined
}

/**
 * Reads server-sent events (WHATWG HTML §9.2) with `fetch`, since an EventSource can send no token. Throws when nothing comes for too long:
 * a connection may be gone without a word.
 */
async function* serverSentEvents(
  options: ClientOptions,
  topic: string,
  from: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ServerSentEvent, void> {
  const query = new URLSearchParams({ topic, from })
  const silence = watchSilence(options.idleTimeoutMs ?? idleTimeoutMsDefault, signal)
  try {
    const opened = request(options, `/v1/events/stream?${query.toString()}`, {
      headers: { accept: 'text/event-stream' },
      signal: silence.signal,
    })
    const answer = await silence.during(opened)
    if (!answer.ok) throw await silence.during(problemOf(answer))
    let buffered = ''
    const decoder = new TextDecoder()
    for await (const chunk of chunksOf(answer.body, silence)) {
      const blocks = (buffered + decoder.decode(chunk, { stream: true })).split('\n\n')
      buffered = blocks.pop() ?? ''
      for (const block of blocks) {
        // The server says why it ends the stream, and then ends it.
        if (fieldOf(block, 'event') === 'end') return
        const retry = fieldOf(block, 'retry') ?? ''
        const retryMs = /^\d+$/.test(retry) ? Number(retry) : undefined
        yield { id: fieldOf(block, 'id'), data: fieldOf(block, 'data'), retryMs }
      }
    }
  } finally {
    silence.end()
  }
}

type Silence = {
  /** Aborted when something took too long, or by whom the subscription is for. */
  readonly signal: AbortSignal
  /** Waits for something, though not for too long. How long the subscriber takes in between does not count. */
  readonly during: <T>(waited: Promise<T>) => Promise<T>
  readonly end: () => void
}

function watchSilence(timeoutMs: number, signal: AbortSignal | undefined): Silence {
  const controller = new AbortController()
  const abort = () => controller.abort()
  if (isAborted(signal)) abort()
  signal?.addEventListener('abort', abort)
  const aborted = new Promise<never>((_resolve, reject) => {
    controller.signal.addEventListener('abort', () => reject(new Error('nothing came for too long')))
  })
  aborted.catch(() => undefined)
  return {
    signal: controller.signal,
    during: (waited) => {
      const timer = setTimeout(() => controller.abort(), timeoutMs)
      return Promise.race([waited, aborted]).finally(() => clearTimeout(timer))
    },
    end: () => signal?.removeEventListener('abort', abort),
  }
}

async function* chunksOf(
  body: ReadableStream<Uint8Array> | null,
  { during }: Silence,
): AsyncGenerator<Uint8Array, void> {
  const reader = body?.getReader()
  if (!reader) return
  try {
    for (let read = await during(reader.read()); !read.done; read = await during(reader.read())) yield read.value
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** Ends early when the signal is aborted. */
function pause(forMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, forMs)
    signal?.addEventListener('abort', end)
    if (isAborted(signal)) end()
  })
}

function fieldOf(block: string, name: string): string | undefined {
  const values = block
    .split('\n')
    .filter((line) => line.startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).replace(/^ /, ''))
  return values.length === 0 ? undefined : values.join('\n')
}

async function request(options: ClientOptions, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${await options.token()}`)
  const isStream = path.startsWith('/v1/events/stream')
  return fetch(`${options.url}${path}`, {
    ...init,
    headers,
    ...(isStream ? {} : { signal: AbortSignal.timeout(answerTimeoutMs) }),
  })
}

async function answered<Answer>(answer: Response): Promise<Answer> {
  if (!answer.ok) throw await problemOf(answer)
  return trusted(await answer.text())
}

async function problemOf(answer: Response): Promise<MillraceProblem> {
  const text = await answer.text().catch(() => '')
  const retryAfterMs = retryAfterOf(answer.headers.get('retry-after'))
  try {
    return new MillraceProblem(trusted<Problem>(text), retryAfterMs)
  } catch {
    const detail = text.slice(0, 300)
    return new MillraceProblem({ title: answer.statusText, status: answer.status, detail }, retryAfterMs)
  }
}

/** `Retry-After` (RFC 9110 §10.2.3) in seconds, or as a date, as proxies may write it. */
function retryAfterOf(value: string | null): number {
  if (value === null) return 0
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
  return Number.isNaN(ms) ? 0 : Math.min(retryAfterMsMax, Math.max(0, ms))
}

/** The one place where it is taken on trust that the API answers what its contract says. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
function trusted<Answer>(text: string): Answer {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-return
  return JSON.parse(text)
}

/** A call, since the state of a signal changes while others run. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false
}
