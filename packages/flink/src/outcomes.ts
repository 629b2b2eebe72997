import type { AccountOutcome } from '@millrace/core/account'
import type { Pipeline } from '@millrace/core/pipeline'
import type { AlignedWindow, Window } from '@millrace/core/window'
import { expressionSql } from './expression.ts'
import { isTimelySql } from './records.ts'
import * as sql from './sql.ts'

/** What becomes of a record that a pipeline has read: it has one outcome, and goes where that says and nowhere else. */

/**
 * The outcome of a record of the view `timed`, by the first of these that applies. A filter takes out what it does not hold for, and of
 * what it says unknown, too.
 */
export function outcomeSql(pipeline: Pipeline): string {
  const { where, window, late } = pipeline
  const cases: readonly (readonly [string, AccountOutcome])[] = [
    ['NOT `is_addressed`', 'not-addressed'],
    [`\`event\` IS NULL OR (${isTimelySql(pipeline, '`event_time`')}) IS NOT TRUE`, 'dead-lettered'],
    ...(where === undefined ? [] : [[`${expressionSql(where)} IS NOT TRUE`, 'filtered'] as const]),
    [passedSql(window, late.kind === 'correct' ? late.withinMs : 0), 'late'],
  ]
  const whens = cases.map(([condition, outcome]) => `\n  WHEN ${condition} THEN ${sql.text(outcome)}`)
  return `CASE${whens.join('')}\n  ELSE ${sql.text('processed' satisfies AccountOutcome)}\nEND`
}

export function hasOutcomeSql(outcome: AccountOutcome): string {
  return `\`outcome\` = ${sql.text(outcome)}`
}

/**
 * Whether event time has passed all windows of an event, and for so long. It is the very rule by which Flink's window operators drop events: the
 * watermark has reached the last millisecond of the last of its windows. What is late goes round the windows, what is not goes into those that
 * are there, so each is in exactly one place. This is exact because what says the watermark runs once, whatever the parallelism: everything that
 * the windows get, events and watermarks, comes from there and in that order, so none of them is ever ahead of it.
 */
export function passedSql(window: Window, forMs = 0): string {
  const kept = forMs === 0 ? '' : ` + ${sql.interval(forMs)}`
  return `COALESCE(${lastWindowEndSql(window)}${kept} - ${sql.interval(1)} <= \`watermark\`, FALSE)`
}

/** The end of the last window that an event is in; of sessions, of the one that it would be alone in. */
export function lastWindowEndSql(window: Window): string {
  const [sizeMs, everyMs] = window.kind === 'session' ? [window.gapMs, 1] : [window.sizeMs, window.everyMs]
  return `LAST_WINDOW_END(\`event_time\`, ${sql.number(sizeMs)}, ${sql.number(everyMs)})`
}

/** How many windows of an event the watermark has closed. */
export function closedWindowsSql({ sizeMs, everyMs }: AlignedWindow): string {
  return `CLOSED_WINDOWS(\`event_time\`, \`watermark\`, ${sql.number(sizeMs)}, ${sql.number(everyMs)})`
}
