/**
 * @returns after how many ms the item is to be worked on again; until then it stays the first of its lane. `undefined` when it is done with
 */
export type LaneWork<Item> = (item: Item) => Promise<number | undefined>

type Lane<Item> = { readonly items: Item[] }

/** Works on the items of a lane one after another, and on several lanes side by side. An item that waits to be tried again takes no place. */
export class Lanes<Item> {
  readonly #concurrency: number
  readonly #work: LaneWork<Item>
  readonly #onFailed: (error: unknown) => void
  readonly #lanes = new Map<string, Lane<Item>>()
  readonly #ready: string[] = []
  #running = 0

  /** @param onFailed is told when the work on an item fails, which it should not: its lane goes no further then */
  constructor(concurrency: number, work: LaneWork<Item>, onFailed: (error: unknown) => void) {
    this.#concurrency = concurrency
    this.#work = work
    this.#onFailed = onFailed
  }

  push(name: string, item: Item): void {
    const lane = this.#lanes.get(name)
    if (lane) {
      lane.items.push(item)
      return
    }
    this.#lanes.set(name, { items: [item] })
    this.#ready.push(name)
    this.#pump()
  }

  #pump(): void {
    while (this.#running < this.#concurrency) {
      const name = this.#ready.shift()
      const lane = name === undefined ? undefined : this.#lanes.get(name)
      const item = lane?.items[0]
      if (name === undefined || !lane || item === undefined) return
      this.#running += 1
      this.#work(item).then((delayMs) => this.#after(name, lane, delayMs), this.#onFailed)
    }
  }

  #after(name: string, lane: Lane<Item>, delayMs: number | undefined): void {
    this.#running -= 1
    if (delayMs === undefined) {
      lane.items.shift()
      if (lane.items.length === 0) this.#lanes.delete(name)
      else this.#ready.push(name)
    } else {
      setTimeout(() => {
        this.#ready.push(name)
        this.#pump()
      }, delayMs)
    }
    this.#pump()
  }
}
