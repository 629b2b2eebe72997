/** `millrace dlq`: the dead letters of a topic, through the API like anybody else. */
import { MillraceError } from '@millrace/core/errors'
import * as z from 'zod'
import { askGateway } from './gateway.ts'
import { runningInstallation } from './running.ts'
import type { RunningOptions } from './settings.ts'

export type ListOptions = RunningOptions & { readonly reason?: string; readonly limit: number; readonly from?: string }

export type ReplayOptions = RunningOptions & {
  readonly id?: readonly string[]
  readonly all?: boolean
  readonly reason?: string
  readonly dryRun?: boolean
  readonly cap?: number
  readonly canary?: number
  readonly from?: string
}

const letterShape = z.looseObject({
  id: z.string().nullable(),
  source: z.string().nullable(),
  reason: z.string(),
  by: z.string(),
  failedAt: z.string(),
  origin: z.looseObject({ partition: z.int().optional(), offset: z.int().optional() }),
  replays: z.int(),
})
const pageShape = z.looseObject({ deadLetters: z.array(letterShape), next: z.string(), atEnd: z.boolean() })
const replayShape = z.looseObject({
  next: z.string().optional(),
  stopped: z.string().optional(),
  failures: z.array(z.looseObject({ id: z.string().nullable(), outcome: z.string(), detail: z.string() })),
})

type Letter = z.infer<typeof letterShape>
type Page = z.infer<typeof pageShape>
type Replayed = z.infer<typeof replayShape>

/** A page of the dead letters of a topic. */
export async function listLetters(topic: string, { reason, limit, from, ...options }: ListOptions): Promise<Page> {
  const query = new URLSearchParams({ topic, limit: String(limit), ...(reason && { reason }), ...(from && { from }) })
  return ask(pageShape, options, 'dlq:read:*', `/v1/dead-letters?${query.toString()}`)
}

/**
 * The dead letters of one event: mostly one, more where several parts of the platform gave it up.
 * @throws MillraceError 'stack.failed' when there is none
 */
export async function showLetters(topic: string, id: string, options: RunningOptions): Promise<readonly Letter[]> {
  const found: Letter[] = []
  for (let from = 'earliest', isOver = false; !isOver;) {
    const query = new URLSearchParams({ topic, id, from, limit: '1000' })
    const { deadLetters, next, atEnd } = await ask(
      pageShape,
      options,
      'dlq:read:*',
      `/v1/dead-letters?${query.toString()}`,
    )
    found.push(...deadLetters)
    from = next
    isOver = atEnd
  }
  if (found.length > 0) return found
  throw new MillraceError('stack.failed', `${topic} has no dead letter with the id "${id}"`)
}

/** Replays dead letters of a topic, or says how many would pass. */
export async function replayLetters(topic: string, options: ReplayOptions): Promise<Replayed> {
  const { id, all, reason, dryRun, cap, canary, from, ...running } = options
  if (id === undefined && reason === undefined && all !== true) {
    throw new MillraceError('config.invalid', 'say which: --id, --reason, or --all')
  }
  const body = { topic, ...(id && { ids: id }), filter: { ...(reason && { reason }) }, dryRun, cap, canary, from }
  return ask(replayShape, running, 'dlq:replay:*', '/v1/dead-letters/replay', body)
}

async function ask<T>(
  shape: z.ZodType<T>,
  options: RunningOptions,
  scope: string,
  path: string,
  body?: object,
): Promise<T> {
  const { installation } = await runningInstallation(options)
  return askGateway(installation, shape, scope, path, body)
}

/** A line for each letter: when, what for, whose, which event, and where it came from. */
export function letterTable({ deadLetters, next, atEnd }: Page): string {
  const rows = deadLetters.map(({ failedAt, reason, by, source, id, origin: { partition, offset }, replays }) => {
    const place = partition === undefined ? 'never stored' : `${partition}/${offset ?? ''}`
    return [failedAt, reason, by, `${source ?? ''} ${id ?? ''}`, place, `replays: ${replays}`].join('  ')
  })
  if (rows.length === 0) rows.push('no dead letters here')
  if (!atEnd) rows.push(`more: --from ${next}`)
  return rows.join('\n')
}

/** What became of a replay, in the words of the API. */
export function replaySummary({ failures, stopped, next, ...counts }: Replayed): string {
  const told = Object.entries(counts).flatMap(([name, count]) =>
    typeof count === 'number' && count > 0 ? [`${name}: ${count}`] : [],
  )
  return [
    told.length > 0 ? told.join('   ') : 'nothing to replay',
    ...failures.map(({ id, outcome, detail }) => `  ${outcome}  ${id ?? ''}: ${detail}`),
    ...(stopped === undefined ? [] : ['stopped: a canary did not pass']),
    ...(next === undefined ? [] : [`more: --from ${next}`]),
  ].join('\n')
}
