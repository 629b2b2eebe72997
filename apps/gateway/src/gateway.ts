import { readFile } from 'node:fs/promises'
import { openAdmin } from '@millrace/kafka/admin'
import { followCatalog } from '@millrace/kafka/catalog'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { openProducer } from '@millrace/kafka/producer'
import { openReader } from '@millrace/kafka/reader'
import { openRegistry } from '@millrace/schemas/registry'
import { createHealth } from '@millrace/service/health'
import type { Lifecycle, Service } from '@millrace/service/lifecycle'
import { createAuthentication } from './authentication.ts'
import type { GatewayConfig } from './config.ts'
import { createEventTypes } from './event-types.ts'
import { healthRoutes } from './health-routes.ts'
import { createIngest } from './ingest.ts'
import { createLiveTopics } from './live-topics.ts'
import { createGatewayMetrics } from './metrics.ts'
import { publishRoute } from './publish-route.ts'
import { readRoutes } from './read-routes.ts'
import { createServer } from './server.ts'
import { streamRoute } from './stream-route.ts'

const queueSampleMs = 1_000

/** Opens what the gateway stands on, then listens. What was opened is closed in reverse order. */
export async function startGateway(config: GatewayConfig, lifecycle: Lifecycle): Promise<Service> {
  const { logger, onClose, isReady } = lifecycle
  const metrics = createGatewayMetrics()
  const connection = await connectionOf(config.kafka)

  const admin = openAdmin(connection)
  onClose('admin client', admin.close)
  const registry = openRegistry({ ...config.registry, caPem: await readFile(config.registry.caFile, 'utf8') })
  onClose('registry client', registry.close)
  const catalog = await followCatalog(connection, {
    onTrouble: (error) => logger.warn({ err: error }, 'the catalog cannot be read at the moment'),
    onUnreadable: (type) => logger.warn({ type }, 'an entry of the catalog is not understood'),
  })
  onClose('catalog', catalog.close)
  const producer = openProducer(connection)
  onClose('producer', producer.close)
  const reader = openReader(connection)
  onClose('reader', reader.close)
  const liveTopics = createLiveTopics(connection, config.streamBufferBytesMax, metrics, logger)
  onClose('live streams', liveTopics.close)
  const sample = setInterval(() => metrics.produceQueue.set(producer.queuedEvents()), queueSampleMs)
  onClose('queue sample', () => {
    clearInterval(sample)
    return Promise.resolve()
  })

  const kafka = { name: 'kafka', check: () => admin.brokers() }
  const needed = createHealth([kafka])
  const all = createHealth([kafka, { name: 'registry', check: () => registry.subjects() }])
  const authenticate = createAuthentication(config.tokens)
  const eventTypes = createEventTypes(catalog)
  const app = createServer(metrics, logger)
  publishRoute(app, authenticate, createIngest(eventTypes, producer, config.registry.url, metrics), config)
  readRoutes(app, authenticate, eventTypes, reader)
  await streamRoute(app, authenticate, eventTypes, liveTopics)
  healthRoutes(app, authenticate, { isReady, needed, all }, metrics)
  await app.listen({ host: config.host, port: config.port })
  return {
    // Nothing new is taken before what was taken is answered: under load the queue would never be empty otherwise.
    drain: async () => {
      await app.close()
      await producer.flush()
    },
    close: () => app.close(),
  }
}

async function connectionOf({ caFile, ...kafka }: GatewayConfig['kafka']): Promise<KafkaConnection> {
  return { ...kafka, caPem: await readFile(caFile, 'utf8') }
}
