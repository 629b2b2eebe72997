import { randomBytes } from 'node:crypto'
import type { StatementContext } from './sql-execute.ts'

const sessionsMax = 500
const idleMsMax = 4 * 3_600_000

/** The sessions that JDBC drivers hold, by their token. The longest unused makes room for a new one. */
export type Sessions = {
  open(context: StatementContext): string
  find(token: string | undefined): StatementContext | undefined
  close(token: string | undefined): void
}

export function createSessions(now: () => number = Date.now): Sessions {
  const sessions = new Map<string, { readonly context: StatementContext; readonly usedAtMs: number }>()
  const keep = (token: string, context: StatementContext) => {
    sessions.delete(token)
    sessions.set(token, { context, usedAtMs: now() })
    const oldest = sessions.keys().next().value
    if (sessions.size > sessionsMax && oldest !== undefined) sessions.delete(oldest)
  }
  return {
    open: (context) => {
      const token = randomBytes(24).toString('base64url')
      keep(token, context)
      return token
    },
    find: (token = '') => {
      const session = sessions.get(token)
      if (!session || now() - session.usedAtMs > idleMsMax) return undefined
      keep(token, session.context)
      return session.context
    },
    close: (token = '') => {
      sessions.delete(token)
    },
  }
}
