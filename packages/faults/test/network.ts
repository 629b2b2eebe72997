/** A server behind the proxy and those who connect to it, as plain sockets. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Fault } from '../src/fault.ts'
import { type FaultProxy, openFaultProxy } from '../src/proxy.ts'

export type Network = {
  readonly proxy: FaultProxy
  /** A connection through the proxy, and the end of it that the server has. */
  readonly pair: () => Promise<{ client: End; server: End }>
  readonly order: (fault: Fault) => Promise<number>
}

/** A socket that keeps what it receives and how it ends. */
export type End = {
  readonly socket: Socket
  /** Resolves with everything that was received, when it is so many bytes. */
  readonly received: (bytes: number) => Promise<Buffer>
  readonly soFar: () => number
  /** `end` when the other side has ended it, the code of the error when it broke. */
  readonly ended: Promise<string>
}

/** Resolves when nothing more is under way that would not wait for a timer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

export async function openNetwork(): Promise<Network> {
  const waiting: ((socket: Socket) => void)[] = []
  const accepted: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const taker = waiting.shift()
    if (taker) taker(socket)
    else accepted.push(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const proxy = await openFaultProxy([{ name: 'link', port: 0, target: { host: '127.0.0.1', port } }])
  const sockets: Socket[] = []
  onTestFinished(async () => {
    await proxy.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    proxy,
    pair: async () => {
      const socket = connect({ port: proxy.port('link') ?? 0, host: '127.0.0.1', allowHalfOpen: true })
      sockets.push(socket)
      const client = endOf(socket)
      const other = accepted.shift() ?? (await new Promise<Socket>((resolve) => waiting.push(resolve)))
      sockets.push(other)
      return { client, server: endOf(other) }
    },
    order: (fault) => proxy.order({ listeners: ['link'], fault, forMs: 60_000 }),
  }
}

export function endOf(socket: Socket): End {
  const chunks: Buffer[] = []
  const waiting = new Set<() => void>()
  const soFar = () => chunks.reduce((sum, { length }) => sum + length, 0)
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    for (const look of waiting) look()
  })
  const ended = Promise.withResolvers<string>()
  socket.on('end', () => ended.resolve('end'))
  socket.on('error', (error: NodeJS.ErrnoException) => ended.resolve(error.code ?? error.message))
  const received = (bytes: number) =>
    new Promise<Buffer>((resolve) => {
      const look = () => {
        if (soFar() < bytes) return
        waiting.delete(look)
        resolve(Buffer.concat(chunks))
      }
      waiting.add(look)
      look()
    })
  return { socket, received, soFar, ended: ended.promise }
}
