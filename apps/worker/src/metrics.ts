import { signals } from '@millrace/core/signals'
import type { Metrics } from '@millrace/service/metrics'
import type { Attempted, Done } from './attempts.ts'

export type HandlerMetrics = {
  readonly attempted: (tookMs: number, kind: Attempted['kind']) => void
  readonly committed: (tookMs: number, results: readonly { readonly kind: Done }[]) => void
  readonly waiting: (records: number) => void
  /** What was under way counts no more. */
  readonly lost: () => void
}

/** The metrics of each handler, by its name. */
export function createWorkerMetrics(metrics: Metrics): (handler: string) => HandlerMetrics {
  const duration = metrics.histogram(signals.handlerDuration)
  const retries = metrics.counter(signals.handlerRetries)
  const events = metrics.counter(signals.handlerEvents)
  const commits = metrics.histogram(signals.handlerCommitDuration)
  const losses = metrics.counter(signals.handlerLosses)
  const queue = metrics.gauge(signals.handlerQueue)
  return (handler) => ({
    attempted: (tookMs, kind) => {
      duration.observe({ handler }, tookMs / 1_000)
      if (kind === 'again') retries.inc({ handler })
    },
    committed: (tookMs, results) => {
      commits.observe({ handler }, tookMs / 1_000)
      for (const { kind } of results) events.inc({ handler, outcome: kind })
    },
    waiting: (records) => queue.set({ handler }, records),
    lost: () => losses.inc({ handler }),
  })
}
