/** A port of the proxy: who connects to it is connected to the server behind it, as well as the faults of the moment allow. */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { ProxiedConnection, type Target } from './connection.ts'
import type { From, Order } from './fault.ts'
import { portsFrom } from './socket-owner.ts'

export type ListenerOptions = { readonly name: string; readonly port: number; readonly target: Target }

/** More are turned away: who has waited for a black hole comes again and again. */
const connectionsMax = 2_000
/** How long a port may be taken by another when it is to be opened again. */
const listenDeadlineMs = 5_000
const listenPauseMs = 50
const host = '127.0.0.1'

export class Listener {
  readonly name: string
  readonly #target: Target
  readonly #connections = new Set<ProxiedConnection>()
  readonly #orders = new Map<number, Order>()
  #port: number
  #server: Server | undefined
  #accepted = 0
  /** Opens and closes, one after the other. */
  #opening: Promise<void> = Promise.resolve()

  constructor({ name, port, target }: ListenerOptions) {
    this.name = name
    this.#port = port
    this.#target = target
  }

  get port(): number {
    return this.#port
  }

  /** Resolves when it listens. */
  open(): Promise<void> {
    return this.#settle()
  }

  /** Resolves when the fault has befallen all connections that there are. */
  async add(id: number, order: Order): Promise<void> {
    this.#orders.set(id, order)
    try {
      const connections = [...this.#connections]
      const isMeant = await this.#chosenBy(order.from)
      for (const connection of connections) if (isMeant(connection)) this.#afflict(connection, id, order)
      await this.#settle()
    } catch (error) {
      await this.remove(id)
      throw error
    }
  }

  async remove(id: number): Promise<void> {
    this.#orders.delete(id)
    for (const connection of this.#connections) connection.remove(id)
    await this.#settle()
  }

  async close(): Promise<void> {
    await this.#opening.catch(() => undefined)
    this.#server?.close()
    for (const connection of this.#connections) connection.reset()
  }

  /** Listens, unless it is to refuse. */
  #settle(): Promise<void> {
    const settled = this.#opening
      .catch(() => undefined)
      .then(async () => {
        const refuses = [...this.#orders.values()].some(({ fault }) => fault.kind === 'refuse')
        if (refuses) {
          this.#server?.close()
          this.#server = undefined
        } else {
          this.#server ??= await this.#listen()
        }
      })
    this.#opening = settled
    return settled
  }

  async #listen(): Promise<Server> {
    const deadline = performance.now() + listenDeadlineMs
    for (;;) {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
      server.maxConnections = connectionsMax
      server.on('connection', (socket) => void this.#accept(socket))
      server.listen(this.#port, host)
      try {
        await once(server, 'listening')
        const address = server.address()
        if (typeof address === 'object' && address) this.#port = address.port
        return server
      } catch (error) {
        if (performance.now() > deadline) throw error
        await delay(listenPauseMs)
      }
    }
  }

  async #accept(socket: Socket): Promise<void> {
    this.#accepted += 1
    const connection = new ProxiedConnection(socket, this.#target, this.#accepted, () => {
      this.#connections.delete(connection)
    })
    this.#connections.add(connection)
    try {
      for (const [id, order] of this.#orders) {
        if ((await this.#chosenBy(order.from))(connection)) this.#afflict(connection, id, order)
      }
      connection.start()
    } catch {
      connection.reset() // whose it is cannot be told any more: the process has ended
    }
  }

  async #chosenBy(from: From | undefined): Promise<(connection: ProxiedConnection) => boolean> {
    if (from === undefined) return () => true
    const isOnly = 'only' in from
    const ports = await portsFrom(isOnly ? from.only : from.except, this.#port)
    return ({ clientPort }) => ports.has(clientPort) === isOnly
  }

  #afflict(connection: ProxiedConnection, id: number, { fault }: Order): void {
    // It may be over by now.
    if (fault.kind !== 'refuse' && this.#orders.has(id)) connection.add(id, fault)
  }
}
