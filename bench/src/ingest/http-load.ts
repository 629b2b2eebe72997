/**
 * An HTTP/1.1 client that costs the load generator little: requests are ready-made bytes, each connection has one under way, and of an
 * answer only its status and length are read. It knows answers with a content-length, which is what all subjects give.
 */
import { connect, type Socket } from 'node:net'
import type { Send } from './load.ts'

export type HttpTarget = { readonly port: number; readonly connections: number }
export type HttpLoad = { readonly send: Send; readonly close: () => void }

type Waiting = {
  readonly bytes: Buffer
  readonly resolve: (status: number) => void
  readonly reject: (error: Error) => void
}

const answerTimeoutMs = 30_000
/** Stands for the status of an answer whose end cannot be told. */
const unknownLength = 0
const headEnd = Buffer.from('\r\n\r\n')

/** Opens a sender of requests whose bytes `next` makes; `events` says how many a 2xx acknowledges. */
export function openHttpLoad({ port, connections }: HttpTarget, next: () => Buffer, events: number): HttpLoad {
  const queue: Waiting[] = []
  const idle: Connection[] = []
  const onIdle = (connection: Connection): void => {
    const waiting = queue.shift()
    if (waiting) connection.send(waiting)
    else idle.push(connection)
  }
  const all = Array.from({ length: connections }, () => openConnection(port, onIdle))
  idle.push(...all)
  return {
    send: async () => {
      const status = await new Promise<number>((resolve, reject) => {
        const waiting = { bytes: next(), resolve, reject }
        const connection = idle.pop()
        if (connection) connection.send(waiting)
        else queue.push(waiting)
      })
      if (status !== 200 && status !== 201) throw new Error(`the answer was ${status}`)
      return events
    },
    close: () => {
      for (const connection of all) connection.close()
    },
  }
}

type Connection = { readonly send: (waiting: Waiting) => void; readonly close: () => void }

function openConnection(port: number, onIdle: (connection: Connection) => void): Connection {
  let socket: Socket | undefined
  let current: Waiting | undefined
  let received: Buffer = Buffer.alloc(0)
  const settle = (settleWith: (waiting: Waiting) => void): void => {
    const settled = current
    current = undefined
    received = Buffer.alloc(0)
    if (!settled) return
    settleWith(settled)
    onIdle(connection)
  }
  const onData = (chunk: Buffer): void => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const status = answerIn(received)
    if (status !== undefined) settle(({ resolve }) => resolve(status))
  }
  const open = (): Socket => {
    const opened = connect({ port, host: '127.0.0.1', noDelay: true })
    const fail = (error: Error): void => {
      opened.destroy()
      if (socket !== opened) return
      socket = undefined
      settle(({ reject }) => reject(error))
    }
    opened.on('data', onData).on('error', fail)
    opened.on('close', () => fail(new Error('the connection was closed')))
    return opened.setTimeout(answerTimeoutMs, () => fail(new Error('no answer in time')))
  }
  const connection: Connection = {
    send: (waiting) => {
      current = waiting
      socket ??= open()
      socket.write(waiting.bytes)
    },
    close: () => socket?.destroy(),
  }
  return connection
}

/** The status of an answer, once all of it is there. */
export function answerIn(received: Buffer): number | undefined {
  const end = received.indexOf(headEnd)
  if (end === -1) return undefined
  const head = received.toString('latin1', 0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) return unknownLength
  return received.length < end + headEnd.length + Number(length) ? undefined : Number(head.slice(9, 12))
}
