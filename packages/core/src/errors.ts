/**
 * Everything that can go wrong between the parts of the platform, and whether trying again can help.
 * What a client did wrong is not here: that is a `Violation` or an outcome, never an exception.
 */
const errors = {
  'kafka.unavailable': { retryable: true },
  'kafka.not-confirmed': { retryable: true },
  'kafka.refused': { retryable: false },
  'kafka.unfit': { retryable: false },
  'kafka.too-large': { retryable: false },
  'kafka.unknown-topic': { retryable: false },
  'kafka.overloaded': { retryable: true },
  'kafka.fenced': { retryable: false },
  'registry.unavailable': { retryable: true },
  'registry.refused': { retryable: false },
  'event-type.refused': { retryable: false },
  'registry.incompatible': { retryable: false },
  'flink.unavailable': { retryable: true },
  'flink.refused': { retryable: false },
  'connect.unavailable': { retryable: true },
  'connect.refused': { retryable: false },
  'warehouse.unavailable': { retryable: true },
  'warehouse.refused': { retryable: false },
  'dead-letter.sealed': { retryable: false },
  'config.invalid': { retryable: false },
  'stack.failed': { retryable: false },
  'replay.failed': { retryable: false },
  'verdict.failed': { retryable: false },
  'drill.impossible': { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>

export type ErrorCode = keyof typeof errors

/** An error of the platform: `message` is a sentence that says what to do, `code` is for programs. */
export class MillraceError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'MillraceError'
    this.code = code
    this.retryable = errors[code].retryable
  }
}
