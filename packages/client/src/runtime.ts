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

  constructor(problem: Problem) {
    super(`${problem.status} ${problem.detail}`)
    this.name = 'MillraceProblem'
    this.problem = problem
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
    const retryAfterMs = Number(answer.headers.get('retry-after') ?? 0) * 1_000
    const retryable = [408, 425, 429].includes(answer.status) || answer.status >= 500
    return { ok: false, error: await problemOf(answer), retryable, retryAfterMs }
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    return { ok: false, error, retryable: true, retryAfterMs: 0 }
  }
}

async function* follow<Frame extends { readonly cursor: string } | Gap>(
  options: ClientOptions,
  topic: string,
  from: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Frame, void> {
  let cursor = from
  for (let delayMs = retryDelayMinMs; !isAborted(signal); delayMs = Math.min(retryDelayMaxMs, delayMs * 2)) {
    try {
      for await (const { id, data } of serverSentEvents(options, topic, cursor, signal)) {
        if (id !== undefined) cursor = id
        if (data !== undefined) yield trusted<Frame>(data)
        if (data !== undefined) delayMs = retryDelayMinMs
      }
    } catch (error) {
      if (isAborted(signal)) return
      // What is refused now is refused the next time too; an expired token is renewed.
      if (error instanceof MillraceProblem && error.problem.status < 500 && error.problem.status !== 429) throw error
    }
    // Clients of an instance that stops do not come back all at once.
    await new Promise((resolve) => setTimeout(resolve, delayMs * (0.5 + Math.random() / 2)))
  }
}

type ServerSentEvent = { readonly id: string | undefined; readonly data: string | undefined }

/** Reads server-sent events (WHATWG HTML §9.2) with `fetch`, since an EventSource can send no token. */
async function* serverSentEvents(
  options: ClientOptions,
  topic: string,
  from: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ServerSentEvent, void> {
  const query = new URLSearchParams({ topic, from })
  const answer = await request(options, `/v1/events/stream?${query.toString()}`, {
    headers: { accept: 'text/event-stream' },
    ...(signal && { signal }),
  })
  if (!answer.ok) throw await problemOf(answer)
  let buffered = ''
  const decoder = new TextDecoder()
  for await (const chunk of chunksOf(answer.body)) {
    const blocks = (buffered + decoder.decode(chunk, { stream: true })).split('\n\n')
    buffered = blocks.pop() ?? ''
    for (const block of blocks) {
      // The server says why it ends the stream, and then ends it.
      if (fieldOf(block, 'event') === 'end') return
      yield { id: fieldOf(block, 'id'), data: fieldOf(block, 'data') }
    }
  }
}

async function* chunksOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array, void> {
  const reader = body?.getReader()
  try {
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) yield read.value
  } finally {
    await reader?.cancel().catch(() => undefined)
  }
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
  try {
    return new MillraceProblem(trusted<Problem>(text))
  } catch {
    const detail = text.slice(0, 300)
    return new MillraceProblem({ title: answer.statusText, status: answer.status, detail })
  }
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
