/** A connection through the proxy: the socket of who connected, and the one to whom it connected. */
import { connect, type Socket } from 'node:net'
import type { LinkFault } from './fault.ts'
import { Pump } from './pump.ts'

export type Target = { readonly host: string; readonly port: number }

export class ProxiedConnection {
  /** The port of who connected. */
  readonly clientPort: number
  readonly #client: Socket
  readonly #server: Socket
  readonly #up: Pump
  readonly #down: Pump
  readonly #number: number

  /**
   * @param client nothing of it was read yet
   * @param number which connection of its listener this is: it makes the jitter of each another, and the same in each run
   */
  constructor(client: Socket, target: Target, number: number, onClosed: () => void) {
    this.clientPort = client.remotePort ?? 0
    this.#client = client
    this.#server = connect({ ...target, allowHalfOpen: true, noDelay: true })
    this.#number = number
    const reset = () => this.reset()
    this.#up = new Pump(client, this.#server, reset)
    this.#down = new Pump(this.#server, client, reset)
    let open = 2
    for (const socket of [client, this.#server]) {
      socket.on('error', reset)
      socket.on('close', () => {
        open -= 1
        if (open === 0) onClosed()
      })
    }
  }

  start(): void {
    this.#up.start()
    this.#down.start()
  }

  add(id: number, fault: LinkFault): void {
    if (fault.direction !== 'down') this.#up.add(id, fault, seedOf(fault) + 2 * this.#number)
    if (fault.direction !== 'up') this.#down.add(id, fault, seedOf(fault) + 2 * this.#number + 1)
  }

  remove(id: number): void {
    this.#up.remove(id)
    this.#down.remove(id)
  }

  /** Breaks it off for both ends (RST), whatever is still under way. */
  reset(): void {
    this.#up.stop()
    this.#down.stop()
    this.#client.resetAndDestroy()
    this.#server.resetAndDestroy()
  }
}

function seedOf(fault: LinkFault): number {
  return fault.kind === 'latency' ? fault.seed : 0
}
