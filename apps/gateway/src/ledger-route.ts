/** `GET /v1/ledger`: what is stored of each event type, and what became of it. */
import { timeOf } from '@millrace/core/cloud-event'
import type { LedgerCounts, LedgerMinute, LedgerReader, LedgerTopic } from '@millrace/core/ledger'
import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import type { LedgerView } from './ledger-view.ts'
import { problem, ProblemError } from './problem.ts'
import { limitParameter, queryDetail } from './read-routes.ts'

const time = z
  .string()
  .refine((text) => timeOf(text) !== undefined, 'is an RFC 3339 time, as in "2001-01-31T23:59:00Z"')
const ledgerQuery = z.strictObject({
  topic: z.string().optional(),
  type: z.string().optional(),
  from: time.optional(),
  to: time.optional(),
  limit: limitParameter,
})
type Wanted = z.output<typeof ledgerQuery>

export function ledgerRoute(app: FastifyInstance, openView: () => Promise<LedgerView>): void {
  app.get('/v1/ledger', { config: { access: ['ops:read'] } }, async (request) => {
    const query = ledgerQuery.safeParse(request.query)
    if (!query.success) throw new ProblemError(problem(400, queryDetail(query.error)))
    const view = await openView()
    return {
      types: [...view.topics()].filter((one) => isOf(one, query.data)).map(shownTopic),
      minutes: newest(view.minutes(), query.data).map(shownMinute),
    }
  })
}

function isOf({ type, topic }: Pick<LedgerTopic, 'type' | 'topic'>, wanted: Wanted): boolean {
  return (wanted.type ?? type) === type && (wanted.topic ?? topic) === topic
}

/** Those in which events are from `from` on, and before `to`. */
function newest(minutes: Iterable<LedgerMinute>, wanted: Wanted): LedgerMinute[] {
  const [from, to] = [wanted.from, wanted.to].map((text) => (text === undefined ? undefined : timeOf(text)))
  return [...minutes]
    .filter((one) => isOf(one, wanted))
    .map((one) => ({ one, atMs: Date.parse(one.minute) }))
    .filter(({ atMs }) => (from === undefined || atMs >= from) && (to === undefined || atMs < to))
    .toSorted((a, b) => b.atMs - a.atMs || (a.one.type < b.one.type ? -1 : 1))
    .slice(0, wanted.limit)
    .map(({ one }) => one)
}

function shownTopic({ type, topic, atMs, accepted, readers }: LedgerTopic) {
  const shown = Object.entries(readers).map(([reader, { counts, ...told }]: [string, LedgerReader]) => ({
    ...{ reader, ...shownCounts(counts), ...told },
  }))
  return { type, topic, at: new Date(atMs).toISOString(), accepted, readers: shown }
}

function shownMinute({ type, topic, minute, accepted, readers }: LedgerMinute) {
  const shown = Object.entries(readers).map(([reader, counts]) => ({ reader, ...shownCounts(counts) }))
  return { type, topic, minute, accepted, readers: shown }
}

function shownCounts(counts: LedgerCounts) {
  const { processed = 0, filtered = 0, late = 0, loaded = 0 } = counts
  const { 'dead-lettered': deadLettered = 0, 'not-addressed': notAddressed = 0 } = counts
  return { processed, filtered, late, deadLettered, loaded, notAddressed }
}
