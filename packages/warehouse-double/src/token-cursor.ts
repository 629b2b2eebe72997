import { storedPart } from './name.ts'
import type { Token } from './sql-token.ts'
import { notUnderstood } from './statement-error.ts'

/** Walks over the tokens of a statement. */
export type TokenCursor = {
  peek(ahead?: number): Token | undefined
  next(): Token
  /** Takes these words or symbols if they come next, all or none. */
  accept(...texts: readonly string[]): boolean
  /** @throws StatementError when they do not come next. */
  expect(...texts: readonly string[]): void
  /** A name's parts as stored: `a."b".c`. */
  name(): string[]
  end(): void
}

export function cursorOf(tokens: readonly Token[]): TokenCursor {
  let position = 0
  const cursor: TokenCursor = {
    peek: (ahead = 0) => tokens[position + ahead],
    next: () => {
      const token = tokens[position]
      if (!token) throw notUnderstood('it ends too early')
      position += 1
      return token
    },
    accept: (...texts) => {
      const matches = texts.every((text, index) => isText(tokens[position + index], text))
      if (matches) position += texts.length
      return matches
    },
    expect: (...texts) => {
      if (!cursor.accept(...texts)) throw notUnderstood(`expected ${texts.join(' ')} ${where(tokens[position])}`)
    },
    name: () => {
      const parts = [namePart(cursor.next())]
      while (cursor.accept('.')) parts.push(namePart(cursor.next()))
      return parts
    },
    end: () => {
      const token = tokens[position]
      if (token) throw notUnderstood(`"${token.text}" is more than expected`)
    },
  }
  return cursor
}

function isText(token: Token | undefined, text: string): boolean {
  return token !== undefined && (token.kind === 'word' || token.kind === 'symbol') && token.text === text
}

function namePart(token: Token): string {
  if (token.kind !== 'word' && token.kind !== 'quoted') throw notUnderstood(`"${token.text}" is not a name`)
  return storedPart(token.text)
}

function where(token: Token | undefined): string {
  return token ? `before "${token.text}"` : 'at the end'
}
