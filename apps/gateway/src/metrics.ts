import { signals } from '@millrace/core/signals'
import { createMetrics } from '@millrace/service/metrics'

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>

/** The gateway's own signals, by the catalogue. */
export function createGatewayMetrics() {
  const metrics = createMetrics()
  return {
    requestDuration: metrics.histogram(signals.httpRequestDuration),
    connectionsRefused: metrics.counter(signals.connectionsRefused),
    watchBodyBytes: (read: () => number) => metrics.watch(signals.bodyBytes, read),
    eventLoopDelay: metrics.histogram(signals.eventLoopDelay),
    accepted: metrics.counter(signals.eventsAccepted),
    duplicates: metrics.counter(signals.eventsDuplicate),
    watchIdentities: (read: () => number) => metrics.watch(signals.identities, read),
    rejected: metrics.counter(signals.eventsRejected),
    unconfirmed: metrics.counter(signals.eventsUnconfirmed),
    deadLettered: metrics.counter(signals.eventsDeadLettered),
    replayed: metrics.counter(signals.deadLettersReplayed),
    produceDuration: metrics.histogram(signals.produceDuration),
    watchProduceQueue: (read: () => number) => metrics.watch(signals.produceQueue, read),
    subscribers: metrics.gauge(signals.streamSubscribers),
    streamBuffers: metrics.gauge(signals.streamBuffers),
    gapEvents: metrics.counter(signals.streamGapEvents),
    exposition: metrics.exposition,
  }
}
