import type { LedgerTopic } from '@millrace/core/ledger'
import { signals } from '@millrace/core/signals'
import type { Metrics } from '@millrace/service/metrics'

/** Shows the accounting's last look. */
export function ledgerMetrics(metrics: Metrics): (topics: readonly LedgerTopic[]) => void {
  const acceptedEvents = metrics.gauge(signals.ledgerAccepted)
  const events = metrics.gauge(signals.ledgerEvents)
  const inFlightEvents = metrics.gauge(signals.ledgerInFlight)
  const unaccountedEvents = metrics.gauge(signals.ledgerUnaccounted)
  let lookedAtMs = performance.now()
  metrics.watch(signals.ledgerAge, () => (performance.now() - lookedAtMs) / 1_000)
  return (topics) => {
    lookedAtMs = performance.now()
    // What is gone must not stay.
    for (const gauge of [acceptedEvents, events, inFlightEvents, unaccountedEvents]) gauge.reset()
    for (const { type, accepted, readers } of topics) {
      acceptedEvents.set({ type }, accepted)
      for (const [reader, { counts, inFlight, unaccounted }] of Object.entries(readers)) {
        for (const [outcome, count] of Object.entries(counts)) events.set({ type, reader, outcome }, count)
        if (inFlight !== null) inFlightEvents.set({ type, reader }, inFlight)
        if (unaccounted !== null) unaccountedEvents.set({ type, reader }, unaccounted)
      }
    }
  }
}
