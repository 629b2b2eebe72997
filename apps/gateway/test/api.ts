import { request } from 'node:http'
import { stack } from '@millrace/testkit/fixture'
import * as z from 'zod'

const { gatewayUrl, token } = stack()

const structured = 'application/cloudevents+json'
export const batched = 'application/cloudevents-batch+json'
export const bulk = 'application/x-ndjson'

/** An event that the platform of the tests takes. */
export function order(members: Readonly<Record<string, unknown>> = {}, data: Readonly<Record<string, unknown>> = {}) {
  return {
    specversion: '1.0',
    // An id is known again by its source, whatever its type: those of different types are different events here.
    source: ['/gateway-test', ...(typeof members['type'] === 'string' ? [members['type']] : [])].join('/'),
    type: 'order.placed',
    data: { customer: 'ada', amount: 1, at: '2030-06-01T00:00:00Z', ...data },
    ...members,
  }
}

export type Send = {
  readonly scopes?: readonly string[]
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Posts a value as JSON, or bytes and text as they are. */
export async function post(body: unknown, { scopes, contentType = structured, headers }: Send = {}): Promise<Response> {
  return fetch(`${gatewayUrl}/v1/events`, {
    method: 'POST',
    headers: { ...(await bearer(...(scopes ?? ['events:write:*']))), 'content-type': contentType, ...headers },
    body:
      typeof body === 'string' ? body : body instanceof Uint8Array ? new Blob([body.slice()]) : JSON.stringify(body),
  })
}

export async function get(path: string, ...scopes: readonly string[]): Promise<Response> {
  return fetch(`${gatewayUrl}${path}`, { headers: await bearer(...scopes) })
}

export async function bearer(...scopes: readonly string[]): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await token(...scopes)}` }
}

/** What is answered to a request for an upgrade: the status, and the problem where there is no upgrade. */
export function upgrade(path: string, headers: Readonly<Record<string, string>>) {
  const asked = request(`${gatewayUrl}${path}`, {
    agent: false, // a connection of its own: the gateway closes that of a refused upgrade
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.from('0123456789abcdef').toString('base64'),
      ...headers,
    },
  })
  return new Promise<{ status: number; contentType: string; authenticate: string; connection: string }>(
    (resolve, reject) => {
      asked.on('error', reject)
      asked.on('upgrade', (_answer, socket) => {
        socket.destroy()
        resolve({ status: 101, contentType: '', authenticate: '', connection: '' })
      })
      asked.on('response', (answer) => {
        answer.resume()
        resolve({
          status: answer.statusCode ?? 0,
          contentType: answer.headers['content-type'] ?? '',
          authenticate: answer.headers['www-authenticate'] ?? '',
          connection: answer.headers.connection ?? '',
        })
      })
      asked.end()
    },
  )
}

export const receiptShape = z.strictObject({
  id: z.string(),
  source: z.string(),
  type: z.string(),
  status: z.enum(['accepted', 'duplicate']),
  topic: z.string(),
  partition: z.int(),
  offset: z.int(),
  timestamp: z.string(),
  schemaId: z.int(),
})

const problemShape = z.strictObject({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
  id: z.string().optional(),
  deadLetter: z.strictObject({ topic: z.string(), partition: z.int(), offset: z.int() }).optional(),
  earliest: z.string().optional(),
})

export const batchShape = z.strictObject({
  accepted: z.int(),
  rejected: z.int(),
  unconfirmed: z.int(),
  results: z.array(
    z.strictObject({
      index: z.int(),
      id: z.string().nullable(),
      status: z.enum(['accepted', 'duplicate', 'rejected', 'unconfirmed']),
      topic: z.string().optional(),
      partition: z.int().optional(),
      offset: z.int().optional(),
      problem: problemShape.optional(),
    }),
  ),
})

export const itemShape = z.strictObject({
  event: z.record(z.string(), z.unknown()),
  partition: z.int(),
  offset: z.int(),
  timestamp: z.string(),
})

export const latestShape = z.strictObject({ topic: z.string(), events: z.array(itemShape), cursor: z.string() })

export const pageShape = latestShape.extend({ next: z.string() })

export type Receipt = z.infer<typeof receiptShape>

/** Stores an event and says where it is. */
export async function accepted(body: unknown, send?: Send): Promise<Receipt> {
  const answer = await post(body, send)
  const text = await answer.text()
  if (answer.status !== 201) throw new Error(`expected 201, got ${answer.status}: ${text}`)
  return receiptShape.parse(JSON.parse(text))
}

/** The problem of an answer, which must have this status. */
export async function problemOf(answer: Response, status: number) {
  const text = await answer.text()
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${text}`)
  if (!answer.headers.get('content-type')?.startsWith('application/problem+json')) throw new Error('not a problem')
  const told = problemShape.parse(JSON.parse(text))
  if (told.status !== status) throw new Error(`the problem says ${told.status}`)
  return told
}
