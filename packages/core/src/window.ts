import { type Duration, milliseconds } from './duration.ts'

/** Windows `[start, end)` over event time. */
export type Window = AlignedWindow | SessionWindow

/** Windows that are aligned to the epoch in UTC; every event is in `sizeMs / everyMs` of them. */
export type AlignedWindow = {
  readonly kind: 'tumbling' | 'sliding'
  readonly sizeMs: number
  /** From the start of one window to that of the next. */
  readonly everyMs: number
}

/** Windows of a group's events that follow one another within the gap; the end is that long after the last of them. */
export type SessionWindow = { readonly kind: 'session'; readonly gapMs: number }

/** In how many windows an event may be. */
const windowsMax = 1_000

/** Windows that follow one another without overlap. */
export function tumbling(size: Duration): AlignedWindow {
  const sizeMs = milliseconds(size)
  return { kind: 'tumbling', sizeMs, everyMs: sizeMs }
}

/**
 * Windows that overlap: one begins `every` so often.
 * @throws RangeError when the size is not a multiple of it (Flink knows no other), or more than a thousand times as long
 * @public
 */
export function sliding(size: Duration, { every }: { readonly every: Duration }): AlignedWindow {
  const [sizeMs, everyMs] = [milliseconds(size), milliseconds(every)]
  if (sizeMs % everyMs !== 0) {
    throw new RangeError(`windows of ${size} cannot slide by ${every}: the size must be a multiple of it`)
  }
  if (sizeMs / everyMs > windowsMax) {
    throw new RangeError(
      `windows of ${size} that slide by ${every} hold each event ${sizeMs / everyMs} times: ${windowsMax} at most`,
    )
  }
  return { kind: 'sliding', sizeMs, everyMs }
}

/**
 * A window for each time in which a group is active: it ends after `gap` without an event.
 * @public
 */
export function session(gap: Duration): SessionWindow {
  return { kind: 'session', gapMs: milliseconds(gap) }
}

/** The bounds of the windows that a time is in, the last one first; of sessions, what it would be alone in. */
export function windowsOf(window: Window, timeMs: number): { readonly startMs: number; readonly endMs: number }[] {
  if (window.kind === 'session') return [{ startMs: timeMs, endMs: timeMs + window.gapMs }]
  const { sizeMs, everyMs } = window
  const lastMs = Math.floor(timeMs / everyMs) * everyMs
  return Array.from({ length: sizeMs / everyMs }, (_, index) => {
    const startMs = lastMs - index * everyMs
    return { startMs, endMs: startMs + sizeMs }
  })
}
