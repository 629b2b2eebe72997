/** What a token may allow. A pattern is an event type, or its beginning with `*` for the tail: `order.*`, `*`. */
export type Permission =
  | { readonly action: 'events:write' | 'events:read' | 'dlq:read' | 'dlq:replay'; readonly pattern: string }
  | { readonly action: 'catalog:read' | 'catalog:write' | 'metrics:read' | 'ops:read' }

const patterned = ['events:write', 'events:read', 'dlq:read', 'dlq:replay'] as const
const plain = ['catalog:read', 'catalog:write', 'metrics:read', 'ops:read'] as const

/** The permission that a scope grants, or `undefined` for a scope that means nothing here (deny by default). */
export function parseScope(scope: string): Permission | undefined {
  const simple = plain.find((action) => action === scope)
  if (simple) return { action: simple }
  const action = patterned.find((prefix) => scope.startsWith(`${prefix}:`))
  if (!action) return undefined
  const pattern = scope.slice(action.length + 1)
  return /^[a-zA-Z0-9._-]*\*?$/.test(pattern) && pattern.length > 0 ? { action, pattern } : undefined
}

/** Whether a pattern covers an event type. */
export function patternCovers(pattern: string, type: string): boolean {
  return pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern
}
