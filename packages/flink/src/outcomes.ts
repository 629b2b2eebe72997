import type { AccountOutcome } from '@millrace/core/account'
import { type Pipeline, pipelineReader } from '@millrace/core/pipeline'
import { expressionSql } from './expression.ts'
import { isForSql } from './records.ts'
import * as sql from './sql.ts'

/** What becomes of a record that a pipeline has read: it has one outcome, and goes where that says and nowhere else. */

/**
 * The outcome of a record of the view `windowed`, by the first of these that applies. A filter takes out what it does not hold for, and of
 * what it says unknown, too.
 */
export function outcomeSql({ name, where }: Pipeline): string {
  const cases: readonly (readonly [string, AccountOutcome])[] = [
    [`NOT ${isForSql(pipelineReader(name))}`, 'not-addressed'],
    ['`event` IS NULL OR `event_time` IS NULL', 'dead-lettered'],
    ...(where === undefined ? [] : [[`${expressionSql(where)} IS NOT TRUE`, 'filtered'] as const]),
    [lateSql, 'late'],
  ]
  const whens = cases.map(([condition, outcome]) => `\n  WHEN ${condition} THEN ${sql.text(outcome)}`)
  return `CASE${whens.join('')}\n  ELSE ${sql.text('processed' satisfies AccountOutcome)}\nEND`
}

export function hasOutcomeSql(outcome: AccountOutcome): string {
  return `\`outcome\` = ${sql.text(outcome)}`
}

/**
 * Whether an event is late, by the very rule by which Flink's window operator would drop it: the watermark has reached the last
 * millisecond of the window. What is late goes round the windows, what is not goes into them, so each is in exactly one place.
 * This is exact because WITH_WATERMARK runs once, whatever the parallelism, and everything that the windows get passes through it.
 */
const lateSql = `COALESCE(CAST(\`window_end\` AS TIMESTAMP_LTZ(3)) - ${sql.interval(1)} <= \`watermark\`, FALSE)`
