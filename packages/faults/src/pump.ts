/**
 * One direction of a connection: bytes leave in the order in which they came, whatever is done to them. What is on its way is bounded: past
 * that the source is read no further, so that its sender waits as it would for a slow network.
 */
import type { Socket } from 'node:net'
import { seededRandom } from '@millrace/core/random'
import type { LinkFault } from './fault.ts'

/** With a latency, so many bytes are under way at most: 1 MiB each 300 ms is 3.5 MB/s. */
const queueBytesMax = 1_048_576

type Active = { readonly fault: LinkFault; readonly random: () => number; passedBytes: number }
/** No bytes: the source has ended. */
type Queued = { readonly bytes: Buffer | undefined; readonly dueMs: number }

export class Pump {
  readonly #source: Socket
  readonly #target: Socket
  readonly #reset: () => void
  readonly #active = new Map<number, Active>()
  readonly #queue: Queued[] = []
  #queuedBytes = 0
  #lastDueMs = 0
  #timer: NodeJS.Timeout | undefined
  #isStarted = false
  #waitsForDrain = false
  #hasLost = false

  /** @param reset breaks the whole connection off */
  constructor(source: Socket, target: Socket, reset: () => void) {
    this.#source = source
    this.#target = target
    this.#reset = reset
  }

  start(): void {
    this.#isStarted = true
    this.#source.on('data', (bytes: Buffer) => this.#take(bytes))
    this.#source.on('end', () => this.#take(undefined))
    this.#target.on('drain', () => {
      this.#waitsForDrain = false
      this.#give()
    })
    this.#give()
  }

  /** @param seed makes the jitter of this direction of this connection */
  add(id: number, fault: LinkFault, seed: number): void {
    if (this.#active.has(id)) return
    this.#active.set(id, { fault, random: seededRandom(seed), passedBytes: 0 })
    if (fault.kind === 'reset' && fault.afterBytes === 0) this.#reset()
    else this.#give()
  }

  remove(id: number): void {
    const active = this.#active.get(id)
    if (!this.#active.delete(id)) return
    if (active && isLosing(active.fault) && this.#hasLost) this.#reset()
    else this.#give()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#active.clear()
    this.#queue.length = 0
    this.#isStarted = false
  }

  #faults(): LinkFault[] {
    return [...this.#active.values()].map(({ fault }) => fault)
  }

  #take(bytes: Buffer | undefined): void {
    if (this.#faults().some(isLosing)) {
      this.#hasLost = true
      return
    }
    if (bytes && this.#faults().some(({ kind }) => kind === 'corrupt')) bytes.forEach((byte, at) => (bytes[at] = ~byte))
    // Later than what is before it, whatever the jitter: TCP keeps the order.
    this.#lastDueMs = Math.max(this.#lastDueMs, performance.now() + this.#latencyMs())
    this.#queue.push({ bytes, dueMs: this.#lastDueMs })
    this.#queuedBytes += bytes?.length ?? 0
    this.#give()
  }

  #isHeld(): boolean {
    return this.#faults().some((fault) => fault.kind === 'black-hole' && fault.bytes === 'held')
  }

  #latencyMs(): number {
    let sum = 0
    for (const { fault, random } of this.#active.values()) {
      if (fault.kind === 'latency') sum += Math.max(0, fault.ms + (2 * random() - 1) * fault.jitterMs)
    }
    return sum
  }

  /** Lets go what is due, and reads on where there is room. */
  #give(): void {
    clearTimeout(this.#timer)
    while (this.#isStarted && !this.#waitsForDrain && !this.#isHeld()) {
      const [next] = this.#queue
      if (!next) break
      const leftMs = next.dueMs - performance.now()
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#give(), Math.ceil(leftMs))
        break
      }
      this.#queue.shift()
      this.#write(next.bytes)
    }
    if (!this.#isStarted) return
    if (this.#isHeld() || this.#queuedBytes >= queueBytesMax) this.#source.pause()
    else this.#source.resume()
  }

  #write(bytes: Buffer | undefined): void {
    if (!bytes) {
      this.#target.end()
      return
    }
    this.#queuedBytes -= bytes.length
    const passing = this.#passing(bytes.length)
    if (passing > 0) this.#waitsForDrain = !this.#target.write(bytes.subarray(0, passing))
    // Sent off first: a reset would take back what the kernel has not sent.
    if (passing < bytes.length) {
      this.stop()
      this.#target.write('', () => this.#reset())
    }
  }

  /** How many of these bytes pass before the connection is to be reset. */
  #passing(length: number): number {
    let passing = length
    for (const active of this.#active.values()) {
      if (active.fault.kind === 'reset') passing = Math.min(passing, active.fault.afterBytes - active.passedBytes)
      active.passedBytes += length
    }
    return Math.max(0, passing)
  }
}

function isLosing(fault: LinkFault): boolean {
  return fault.kind === 'black-hole' && fault.bytes === 'lost'
}
