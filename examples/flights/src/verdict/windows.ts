import type { Window } from '@millrace/core/window'

/** The windows of an event, the arithmetic of which is SQL over its `event_ms`; of a session, the one that it would be alone in. */
export type EventWindows = {
  readonly count: number
  readonly sizeMs: number
  /** From the end of one to that of the next. */
  readonly everyMs: number
  /** When the first of them ends. */
  readonly firstEndMs: string
}

export function windowsOf(window: Window): EventWindows {
  if (window.kind === 'session') {
    const { gapMs } = window
    return { count: 1, sizeMs: gapMs, everyMs: gapMs, firstEndMs: `event_ms + ${gapMs}` }
  }
  const { sizeMs, everyMs } = window
  return { count: sizeMs / everyMs, sizeMs, everyMs, firstEndMs: firstEndMs(everyMs) }
}

/**
 * The first end of a window after an event, where one ends every so often. DuckDB's remainder has the sign of the time; windows before 1970
 * must not be shorter for it.
 */
export function firstEndMs(everyMs: number): string {
  return `event_ms - (event_ms % ${everyMs} + ${everyMs}) % ${everyMs} + ${everyMs}`
}
