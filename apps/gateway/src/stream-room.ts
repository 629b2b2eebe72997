/**
 * What waits for the readers of all live streams of an instance together, and how much of it may be one stream's. Within the bound each may
 * have as much as one may have at all; beyond it no more than an equal share, so that who reads misses nothing because of who does not.
 */
import type { Outlet } from './outlet.ts'
import { problem, ProblemError } from './problem.ts'

export type StreamRoomOptions = {
  /** What may wait for one stream. */
  readonly bufferBytesMax: number
  /** What may wait for all of them. */
  readonly buffersBytesMax: number
  /** How long a page may wait for room. */
  readonly waitMsMax: number
}

const tooMuch = 'too much waits for readers of live streams here already: try again in a moment'

export class StreamRoom {
  readonly #options: StreamRoomOptions
  #bytes = 0
  #streams = 0
  #freed = Promise.withResolvers<undefined>()

  constructor(options: StreamRoomOptions) {
    this.#options = options
  }

  /** Takes down what waits for each stream now. @returns what waits for all of them */
  sample(buffered: readonly number[]): number {
    this.#bytes = buffered.reduce((sum, bytes) => sum + bytes, 0)
    this.#streams = buffered.length
    if (!this.#isOver()) {
      this.#freed.resolve(undefined)
      this.#freed = Promise.withResolvers()
    }
    return this.#bytes
  }

  /** What may wait for a stream at the moment. */
  bufferBytesMax(): number {
    const { bufferBytesMax, buffersBytesMax } = this.#options
    return this.#isOver() ? Math.min(bufferBytesMax, buffersBytesMax / Math.max(1, this.#streams)) : bufferBytesMax
  }

  /** The same outlet, of which what does not leave at once counts before the next sample finds it. */
  counting(outlet: Outlet): Outlet {
    const write = (bytes: Buffer) => {
      const before = outlet.bufferedBytes()
      outlet.write(bytes)
      this.#bytes += Math.max(0, outlet.bufferedBytes() - before)
    }
    return { ...outlet, write }
  }

  /** Fulfilled when there is room for more, or `gone` is aborted. @throws ProblemError 503 when that takes too long */
  async waitForRoom(gone: AbortSignal): Promise<void> {
    if (gone.aborted) return
    const ended = Promise.withResolvers<'late' | 'gone'>()
    const timer = setTimeout(() => ended.resolve('late'), this.#options.waitMsMax)
    const leave = () => ended.resolve('gone')
    gone.addEventListener('abort', leave, { once: true })
    try {
      while (this.#isOver()) {
        const outcome = await Promise.race([this.#freed.promise, ended.promise])
        if (outcome === 'gone') return
        if (outcome === 'late') throw new ProblemError(problem(503, tooMuch))
      }
    } finally {
      clearTimeout(timer)
      gone.removeEventListener('abort', leave)
    }
  }

  #isOver(): boolean {
    return this.#bytes > this.#options.buffersBytesMax
  }
}
