import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { signals } from '@millrace/core/signals'
import { openAdmin } from '@millrace/kafka/admin'
import { openReader } from '@millrace/kafka/reader'
import type { Lifecycle, Service } from '@millrace/service/lifecycle'
import { createMetrics } from '@millrace/service/metrics'
import { openStatusServer } from '@millrace/service/status-server'
import { keepAccounts } from './accountant.ts'
import type { MonitorConfig } from './config.ts'
import { measureLag } from './lag.ts'
import { ledgerMetrics } from './ledger-metrics.ts'

/** Without a good look for so long the monitor says that it is not ready, rather than showing old numbers as new. */
const staleMs = 30_000

/** Looks at Kafka every `intervalMs` and shows the last look to Prometheus; and keeps the accounting. */
export async function startMonitor(config: MonitorConfig, { logger, onClose, fail }: Lifecycle): Promise<Service> {
  const { caFile, ...kafka } = config.kafka
  const connection = { ...kafka, caPem: await readFile(caFile, 'utf8') }
  const admin = openAdmin(connection)
  onClose('admin client', admin.close)
  const reader = openReader(connection)
  onClose('reader', reader.close)
  const metrics = createMetrics()
  const lag = metrics.gauge(signals.consumerLag)
  const lagSeconds = metrics.gauge(signals.consumerLagSeconds)
  const offset = metrics.gauge(signals.consumerOffset)
  const endOffset = metrics.gauge(signals.partitionEndOffset)
  const brokers = metrics.gauge(signals.brokers)
  let lookedAt = -Infinity

  async function look(): Promise<void> {
    brokers.set((await admin.brokers()).length)
    const lags = await measureLag(admin, reader, Date.now())
    for (const gauge of [lag, lagSeconds, offset, endOffset]) gauge.reset() // what is gone must not stay
    for (const one of lags) {
      const labels = { topic: one.topic, partition: String(one.partition) }
      const groupLabels = { consumergroup: one.group, ...labels }
      lag.set(groupLabels, one.messages)
      lagSeconds.set(groupLabels, one.seconds)
      offset.set(groupLabels, Number(one.committed))
      endOffset.set(labels, Number(one.end))
    }
    lookedAt = performance.now()
  }

  const stop = new AbortController()
  async function keepLooking(): Promise<void> {
    while (!stop.signal.aborted) {
      await look().catch((error: unknown) => logger.warn({ err: error }, 'Kafka cannot be looked at'))
      await sleep(config.intervalMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const looking = keepLooking()

  const accounts = keepAccounts({ ...{ connection, admin, logger }, onLook: ledgerMetrics(metrics), onFenced: fail })
  onClose('accounting', accounts.close)

  const isReady = () => performance.now() - lookedAt < staleMs
  const server = await openStatusServer({ host: config.host, port: config.port, isReady, metrics })
  return {
    close: async () => {
      stop.abort()
      await server.close()
      await looking
    },
  }
}
