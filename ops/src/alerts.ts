import { signals } from '@millrace/core/signals'

/** An alert as code: what is watched, from when on it matters, and where a person finds out what to do. */
export type Alert = {
  readonly name: string
  readonly expression: string
  readonly for: string
  readonly severity: 'page' | 'ticket'
  readonly summary: string
  /** The heading of docs/runbook.md that says what to do. */
  readonly runbook: string
}

const lagMax = 100_000
const errorRateMax = 0.01
/** It is written down every two seconds; after a fault it begins again, and reads what was written. */
const ledgerAgeMaxSeconds = 60

const requests = `${signals.httpRequestDuration.name}_count`

export const alerts: readonly Alert[] = [
  {
    name: 'ConsumerLagHigh',
    expression: `sum by (consumergroup, topic) (${signals.consumerLag.name}) > ${lagMax}`,
    for: '1m',
    severity: 'page',
    summary: 'Group {{ $labels.consumergroup }} is {{ $value | humanize }} messages behind on {{ $labels.topic }}.',
    runbook: 'consumerlaghigh',
  },
  {
    name: 'ApiErrorRateHigh',
    // Only what the platform did wrong: a client's 4xx is not an outage.
    expression: `sum(rate(${requests}{status=~"5.."}[1m])) / sum(rate(${requests}[1m])) > ${errorRateMax}`,
    for: '1m',
    severity: 'page',
    summary: '{{ $value | humanizePercentage }} of the API requests of the last minute failed.',
    runbook: 'apierrorratehigh',
  },
  {
    name: 'EventsUnaccounted',
    expression: `${signals.ledgerUnaccounted.name} != 0`,
    for: '5m',
    severity: 'page',
    summary:
      '{{ $labels.reader }} has passed {{ $value | humanize }} events of {{ $labels.type }} and told nothing of them.',
    runbook: 'eventsunaccounted',
  },
  {
    name: 'AccountingStalled',
    expression: `${signals.ledgerAge.name} > ${ledgerAgeMaxSeconds}`,
    for: '1m',
    severity: 'ticket',
    summary: 'The accounting was last written down {{ $value | humanizeDuration }} ago.',
    runbook: 'accountingstalled',
  },
]
