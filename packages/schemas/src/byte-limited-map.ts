/** A map that forgets what was not used for longest when all together outgrow a bound in bytes. */
export type ByteLimitedMap<K, V> = {
  readonly get: (key: K) => V | undefined
  readonly set: (key: K, value: V, bytes: number) => void
  /** The least recently used first. */
  readonly values: () => V[]
}

export function createByteLimitedMap<K, V>(bytesMax: number): ByteLimitedMap<K, V> {
  // A map keeps the order of insertion, so what is used is inserted anew.
  const entries = new Map<K, { readonly value: V; readonly bytes: number }>()
  let total = 0
  const remove = (key: K) => {
    total -= entries.get(key)?.bytes ?? 0
    entries.delete(key)
  }
  return {
    get: (key) => {
      const entry = entries.get(key)
      if (!entry) return undefined
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },
    set: (key, value, bytes) => {
      remove(key)
      entries.set(key, { value, bytes })
      total += bytes
      for (const oldest of entries.keys()) {
        if (total <= bytesMax) return
        remove(oldest)
      }
    },
    values: () => [...entries.values()].map(({ value }) => value),
  }
}
