/** Keeps what is dear to get: one request for a key however many ask, nothing asked again before its time. */
export type Cache<Key, Value> = {
  /** @throws what `load` throws, when there is nothing older to answer with */
  readonly get: (key: Key) => Promise<Value>
  readonly forget: (key: Key) => void
}

export type CacheOptions<Key, Value> = {
  readonly load: (key: Key) => Promise<Value>
  /** How long a value is fresh; `Infinity` for what never changes. */
  readonly freshMs: (value: Value) => number
  /** How long after a failure the older value, or the failure itself, is the answer. */
  readonly retryMs: number
  readonly entriesMax: number
}

type Slot<Value> = { answer: Promise<Value>; freshUntil: number; last?: { readonly value: Value } }

/** A cache with single flight and stale-while-error; the oldest entry makes room for a new one. */
export function createCache<Key, Value>({
  load,
  freshMs,
  retryMs,
  entriesMax,
}: CacheOptions<Key, Value>): Cache<Key, Value> {
  const slots = new Map<Key, Slot<Value>>()

  const refresh = (key: Key, before: Slot<Value> | undefined): Promise<Value> => {
    const slot: Slot<Value> = { answer: load(key), freshUntil: Infinity, ...(before?.last && { last: before.last }) }
    slot.answer = slot.answer.then(
      (value) => {
        slot.last = { value }
        slot.freshUntil = performance.now() + freshMs(value)
        return value
      },
      (error: unknown) => {
        slot.freshUntil = performance.now() + retryMs
        if (slot.last) return slot.last.value
        throw error
      },
    )
    slots.delete(key)
    slots.set(key, slot)
    if (slots.size > entriesMax) evictOldest(slots)
    return slot.answer
  }
  return {
    get: (key) => {
      const slot = slots.get(key)
      return slot && performance.now() < slot.freshUntil ? slot.answer : refresh(key, slot)
    },
    forget: (key) => {
      slots.delete(key)
    },
  }
}

function evictOldest<Key, Value>(slots: Map<Key, Value>): void {
  for (const key of slots.keys()) {
    slots.delete(key)
    return
  }
}
