/** Events that nothing can be made of: by their keys and rounds, so that senders, handlers and verdicts agree on which they are. */
const kinds = ['undecodable', 'throws', 'too-long'] as const

/** Its bytes are no JSON; its handler throws; its handler does not end. */
export type Poison = (typeof kinds)[number]

/** The dead letters' reasons that a kind may end with. */
export const poisonReasons: Readonly<Record<Poison, string>> = {
  undecodable: 'malformed',
  throws: 'retries-exhausted',
  'too-long': 'timeout',
}

/** A key whose even rounds are poison of a kind; the others are as good as any, and wait behind them. */
export function poisonedKey(kind: Poison, number: number): string {
  return `${kind}-${number}`
}

/** What poison an event is, if it is. */
export function poisonOf(key: string, round: number): Poison | undefined {
  return round % 2 === 0 ? kinds.find((kind) => key.startsWith(`${kind}-`)) : undefined
}

/** SQL for the kind of poison that an event is, by its `id` as `keyOfId` reads it; NULL where it is none. */
export const poisonOfId = `nullif(regexp_extract(id, '^(${kinds.join('|')})-\\d+-\\d*[02468]$', 1), '')`
