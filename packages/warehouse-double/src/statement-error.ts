/** A statement that is refused, said in Snowflake's way: the sentence, its error code and SQLSTATE. */
export class StatementError extends Error {
  readonly code: string
  readonly sqlState: string

  constructor(message: string, code = '001003', sqlState = '42000') {
    super(message)
    this.name = 'StatementError'
    this.code = code
    this.sqlState = sqlState
  }
}

/** Snowflake's one answer to a missing object and to a forbidden one. */
export function doesNotExist(what: string, name: string): StatementError {
  return new StatementError(`${what} '${name}' does not exist or not authorized.`, '002003', '02000')
}

/** What the double does not understand it refuses, and never guesses. */
export function notUnderstood(detail: string): StatementError {
  return new StatementError(`the warehouse double does not understand this statement: ${detail}`)
}

/** The code of a statement that was refused for want of room in the queue. */
export const tooManyStatements = '000605'
