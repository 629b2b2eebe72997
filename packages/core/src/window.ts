import { type Duration, isMilliseconds, milliseconds } from './duration.ts'
import { hasOnly, isJsonObject } from './json.ts'

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

/** What happens to an event whose windows have closed. */
export type LatePolicy =
  BeyondPolicy | { readonly kind: 'correct'; readonly withinMs: number; readonly beyond: BeyondPolicy }
export type BeyondPolicy = { readonly kind: 'drop' } | { readonly kind: 'to-topic' }

/** The bounds of one window. */
export type WindowBounds = { readonly startMs: number; readonly endMs: number }

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
export function windowsOf(window: Window, timeMs: number): WindowBounds[] {
  if (window.kind === 'session') return [{ startMs: timeMs, endMs: timeMs + window.gapMs }]
  const { sizeMs, everyMs } = window
  const lastMs = Math.floor(timeMs / everyMs) * everyMs
  return Array.from({ length: sizeMs / everyMs }, (_, index) => {
    const startMs = lastMs - index * everyMs
    return { startMs, endMs: startMs + sizeMs }
  })
}

/** Whether a window can have these bounds. */
export function isWindowOf(window: Window, { startMs, endMs }: WindowBounds): boolean {
  if (window.kind === 'session') return endMs - startMs >= window.gapMs
  return endMs - startMs === window.sizeMs && startMs % window.everyMs === 0
}

/** Whether a time can be that of an event in a window with these bounds. */
export function isInWindow(window: Window, { startMs, endMs }: WindowBounds, timeMs: number): boolean {
  return startMs <= timeMs && (window.kind === 'session' ? timeMs + window.gapMs <= endMs : timeMs < endMs)
}

/** Whether something that was read is a window as the functions above make them. */
export function isWindow(value: unknown): value is Window {
  if (!isJsonObject(value)) return false
  const { kind, sizeMs, everyMs, gapMs } = value
  if (kind === 'session') return hasOnly(value, 'kind', 'gapMs') && isMilliseconds(gapMs)
  if (!hasOnly(value, 'kind', 'sizeMs', 'everyMs') || !isMilliseconds(sizeMs) || !isMilliseconds(everyMs)) return false
  return kind === 'tumbling'
    ? sizeMs === everyMs
    : kind === 'sliding' && sizeMs % everyMs === 0 && sizeMs / everyMs <= windowsMax
}
