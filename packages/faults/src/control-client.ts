import { MillraceError } from '@millrace/core/errors'
import { Agent, fetch, type RequestInit } from 'undici'
import * as z from 'zod'
import type { Order } from './fault.ts'

/** Orders faults from a proxy that runs. All throw MillraceError 'stack.failed' when it does not, or refuses. */
export type Faults = {
  /** Resolves with the number of the fault when it has befallen all connections that there are. */
  readonly order: (order: Order) => Promise<number>
  readonly heal: (id: number) => Promise<void>
  readonly healAll: () => Promise<void>
  /** How many faults there are now. */
  readonly count: () => Promise<number>
  readonly close: () => Promise<void>
}

const timeoutMs = 10_000
const ordered = z.object({ id: z.int() })
const refused = z.object({ message: z.string() })

/** @param socketPath the proxy's `controlSocket` */
export function openFaults(socketPath: string): Faults {
  const dispatcher = new Agent({ connect: { socketPath } })
  const ask = async (path: string, request: RequestInit): Promise<unknown> => {
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      const answer = await fetch(`http://fault-proxy${path}`, { ...request, dispatcher, signal })
      const body: unknown = answer.status === 204 ? undefined : await answer.json()
      if (answer.ok) return body
      throw new MillraceError('stack.failed', `the fault proxy refuses: ${refused.parse(body).message}`)
    } catch (cause) {
      if (cause instanceof MillraceError) throw cause
      throw new MillraceError('stack.failed', 'the fault proxy does not answer: look at its log', { cause })
    }
  }
  return {
    order: async (order) => {
      const headers = { 'content-type': 'application/json' }
      return ordered.parse(await ask('/faults', { method: 'POST', headers, body: JSON.stringify(order) })).id
    },
    heal: async (id) => {
      await ask(`/faults/${id}`, { method: 'DELETE' })
    },
    healAll: async () => {
      await ask('/faults', { method: 'DELETE' })
    },
    count: async () => z.array(z.unknown()).parse(await ask('/faults', {})).length,
    close: () => dispatcher.close(),
  }
}
