/** A map that forgets what was used longest ago. `weightMax` bounds what the keys and values may weigh together. */
export type Lru<Value> = {
  readonly get: (key: string) => Value | undefined
  readonly set: (key: string, value: Value) => void
  readonly delete: (key: string) => void
  readonly size: () => number
}

/** The weight of an entry is the length of its key: values here are small and of one size. */
export function createLru<Value>({
  entriesMax,
  keysLengthMax,
}: {
  entriesMax: number
  keysLengthMax: number
}): Lru<Value> {
  const entries = new Map<string, Value>() // in the order of their last use
  let keysLength = 0

  function remove(key: string): void {
    if (entries.delete(key)) keysLength -= key.length
  }

  function makeRoom(): void {
    for (const oldest of entries.keys()) {
      if (entries.size <= entriesMax && keysLength <= keysLengthMax) return
      remove(oldest)
    }
  }

  return {
    get: (key) => {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set: (key, value) => {
      remove(key)
      entries.set(key, value)
      keysLength += key.length
      makeRoom()
    },
    delete: remove,
    size: () => entries.size,
  }
}
