import type { EventType } from '@millrace/core/event-type'
import { isJsonObject } from '@millrace/core/json'
import { Pool } from 'undici'
import type { AccessToken } from '@millrace/ledger/access-token'
import { isRefusal, parsed } from '@millrace/ledger/event-post'
import type { Observation } from './observation.ts'

/** What became of one event. `unconfirmed`: stored or not, send it again with the same id. */
export type SingleOutcome =
  | { readonly status: 'stored'; readonly partition: number; readonly offset: number; readonly schemaId: number }
  | { readonly status: 'rejected' | 'unconfirmed'; readonly detail: string }

/** Posts single events in CloudEvents' binary mode: the attributes are headers, the body is the data. Never throws. */
export type EventPost = {
  readonly post: (type: EventType, observation: Observation) => Promise<SingleOutcome>
  readonly close: () => Promise<void>
}

const answerTimeoutMs = 30_000
/** As many requests are under way at a time; others wait for a connection. */
const connectionsMax = 8
const mediaTypes = { json: 'application/json', avro: 'application/avro', protobuf: 'application/protobuf' } as const

export function openBinaryPost(gatewayUrl: string, token: AccessToken): EventPost {
  const pool = new Pool(gatewayUrl, {
    connections: connectionsMax,
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
    connectTimeout: 5_000,
  })
  const attempt = async ({ name, format }: EventType, event: Observation): Promise<SingleOutcome> => {
    const { statusCode, body } = await pool.request({
      method: 'POST',
      path: '/v1/events',
      headers: {
        authorization: `Bearer ${await token.current()}`,
        'content-type': mediaTypes[format],
        'ce-specversion': '1.0',
        'ce-id': event.id,
        'ce-source': event.source,
        'ce-type': name,
        'ce-time': event.time,
      },
      body: event.body,
    })
    const text = await body.text()
    if (statusCode === 401) token.renew()
    return singleOutcomeOf(statusCode, text)
  }
  return {
    post: (type, observation) =>
      attempt(type, observation).catch((error: unknown): SingleOutcome => ({
        status: 'unconfirmed',
        detail: error instanceof Error ? error.message : String(error),
      })),
    close: () => pool.close(),
  }
}

/** Reads an answer of `POST /v1/events` to a single event. An answer that is not in the contract confirms nothing. */
export function singleOutcomeOf(statusCode: number, text: string): SingleOutcome {
  const receipt = statusCode === 201 || statusCode === 200 ? parsed(text) : undefined
  if (isJsonObject(receipt)) {
    const { partition, offset, schemaId } = receipt
    if (typeof partition === 'number' && typeof offset === 'number' && typeof schemaId === 'number') {
      return { status: 'stored', partition, offset, schemaId }
    }
  }
  return { status: isRefusal(statusCode) ? 'rejected' : 'unconfirmed', detail: `${statusCode} ${text.slice(0, 300)}` }
}
