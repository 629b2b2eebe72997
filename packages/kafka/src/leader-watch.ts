/** Asks who leads the partitions of topics: from time to time, at once when something cannot be read, and when somebody says so. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin as Client } from '@platformatic/kafka'
import { within } from './deadline.ts'
import { leadersOf, leadersOfAll, type TopicLeaders } from './fetch.ts'

export type LeaderListener = {
  /** Whose leaders are asked for. */
  readonly topics: () => readonly string[]
  readonly onLeaders: (topic: string, at: TopicLeaders) => void
  /** All topics were asked for once more. */
  readonly onAsked: () => void
  readonly onTrouble: (error: unknown, what: string) => void
}

/** New partitions are looked for after this time. */
const metadataMaxAgeMs = 15_000
const deadlineMs = 10_000
const retryDelayMinMs = 100
const retryDelayMaxMs = 2_000
/** A broker may learn of new partitions a little later than whoever made them. */
const refreshAsks = 3

export class LeaderWatch {
  readonly #client: Client
  readonly #listener: LeaderListener
  readonly #stop = new AbortController()
  #wake = Promise.withResolvers<undefined>()
  #hurry = new AbortController()
  #keeping: Promise<void> | undefined
  /** How often it is asked without waiting for the time to come. */
  #asks = 0

  constructor(client: Client, listener: LeaderListener) {
    this.#client = client
    this.#listener = listener
  }

  start(): void {
    this.#keeping ??= this.#keep()
  }

  /** Something cannot be read: asked soon, and less often the longer that lasts. */
  askAgain(): void {
    this.#asks = Math.max(this.#asks, 1)
    this.#wake.resolve(undefined)
  }

  /** Something is known to have changed: asked at once, and a few times more. */
  refresh(): void {
    this.#asks = refreshAsks
    this.#wake.resolve(undefined)
    this.#hurry.abort()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#wake.resolve(undefined)
    await this.#keeping
  }

  async #keep(): Promise<void> {
    let delayMs = retryDelayMinMs
    while (!this.#isStopped()) {
      const timer = setTimeout(() => this.#wake.resolve(undefined), metadataMaxAgeMs)
      await this.#wake.promise
      clearTimeout(timer)
      if (this.#isStopped()) return
      this.#wake = Promise.withResolvers()
      this.#hurry = new AbortController()
      const isAsked = this.#asks > 0
      if (isAsked) this.#asks -= 1
      await this.#ask()
      if (isAsked) await this.#pause(delayMs)
      delayMs = isAsked && !this.#hurry.signal.aborted ? Math.min(retryDelayMaxMs, delayMs * 2) : retryDelayMinMs
      if (this.#asks > 0) this.#wake.resolve(undefined)
    }
  }

  async #ask(): Promise<void> {
    const names = this.#listener.topics()
    if (names.length === 0) return
    try {
      const leaders = await within(deadlineMs, 'asking for the leaders', leadersOfAll(this.#client, names))
      for (const [name, at] of leaders) this.#listener.onLeaders(name, at)
    } catch {
      // One that cannot be asked for fails them all, so each for itself.
      for (const name of names) await this.#askFor(name)
    }
    this.#listener.onAsked()
  }

  async #askFor(name: string): Promise<void> {
    if (this.#isStopped()) return
    const what = `asking for the leaders of ${name}`
    try {
      this.#listener.onLeaders(name, await within(deadlineMs, what, leadersOf(this.#client, name)))
    } catch (error) {
      if (this.#isStopped() || !this.#listener.topics().includes(name)) return
      this.#listener.onTrouble(error, `following ${name}`)
      this.askAgain()
    }
  }

  async #pause(delayMs: number): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, this.#hurry.signal])
    await sleep(delayMs, undefined, { signal }).catch(() => undefined)
  }

  /** A call, since the state of a signal changes while others run. */
  #isStopped(): boolean {
    return this.#stop.signal.aborted
  }
}
