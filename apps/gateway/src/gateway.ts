import { readFile } from 'node:fs/promises'
import { catalogTopic } from '@millrace/core/catalog'
import { type Admin, openAdmin } from '@millrace/kafka/admin'
import { type CatalogFollower, followCatalog, putCatalogEntry, withdrawCatalogEntry } from '@millrace/kafka/catalog'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { openProducer, type Producer } from '@millrace/kafka/producer'
import { openReplayLog } from '@millrace/kafka/replay-log'
import { openReader } from '@millrace/kafka/reader'
import { createSealing } from '@millrace/kafka/sealing'
import type { Catalog } from '@millrace/reconcile/plan-catalog'
import { openRegistry } from '@millrace/schemas/registry'
import { openSchemaCache } from '@millrace/schemas/schema-cache'
import { watchEventLoop } from '@millrace/service/event-loop'
import { createHealth } from '@millrace/service/health'
import type { Lifecycle, Service } from '@millrace/service/lifecycle'
import type { Logger } from '@millrace/service/logger'
import type { FastifyInstance } from 'fastify'
import { admitRequests } from './admission.ts'
import { createAudit } from './audit.ts'
import { createAuthentication } from './authentication.ts'
import { catalogRoutes } from './catalog-route.ts'
import type { GatewayConfig } from './config.ts'
import { documentRoutes, noteRoutes } from './documents/routes.ts'
import { deadLetterRoutes } from './dead-letter-routes.ts'
import { createDeadLetters, deadLetterProducer } from './dead-lettering.ts'
import { createDrain, type Drain } from './drain.ts'
import { createItems } from './event-item.ts'
import { createEventTypes } from './event-types.ts'
import { explainRoute } from './explain-route.ts'
import { healthRoutes } from './health-routes.ts'
import { createIdentities } from './identities.ts'
import { openIdentityFeed } from './identity-feed.ts'
import { createIngest } from './ingest.ts'
import { ledgerRoute } from './ledger-route.ts'
import { openLedgerView } from './ledger-view.ts'
import { createLiveTopics } from './live-topics.ts'
import { createGatewayMetrics, type GatewayMetrics } from './metrics.ts'
import { watchGrowth } from './partition-growth.ts'
import { createPayloads } from './payloads.ts'
import { publishRoute } from './publish-route.ts'
import { createRateLimit } from './rate-limit.ts'
import { readRoutes } from './read-routes.ts'
import { createServer } from './server.ts'
import { streamRoute } from './stream-route.ts'
import { createStreams } from './streams.ts'
import { openTls } from './tls.ts'
import { openTopicFeed } from './topic-feed.ts'
import { createTurns } from './turns.ts'

/** What waits to be read: a request for a moment, a stream that catches up for longer. */
const readQueue = { waitingMax: 256, waitMsMax: 5_000 } as const
const catchUpQueue = { waitingMax: 10_000, waitMsMax: 30_000 } as const
/** A start that takes longer than this would be worse than a retry that is stored twice. */
const catchUpMsMax = 15_000

/** Opens what the gateway stands on, then listens. What was opened is closed in reverse order. */
export async function startGateway(config: GatewayConfig, lifecycle: Lifecycle): Promise<Service> {
  const { logger, onClose } = lifecycle
  const metrics = createGatewayMetrics()
  const parts = await openParts(config, lifecycle, metrics)
  const tls = config.tls && (await openTls(config.tls, warningsOf(logger)))
  if (tls) onClose('certificate', tls.close)
  const { connectionsMax, bodiesBytesMax } = config
  const app = createServer(metrics, logger, { tls, limits: { connectionsMax, bodiesBytesMax } })
  const { drain, stopping } = createDrain(app)
  await addRoutes(app, config, lifecycle, metrics, { ...parts, stopping })
  const [isCaughtUp] = await Promise.all([parts.identityFeed.caughtUp, parts.producer.connect()])
  if (!isCaughtUp) {
    logger.warn(`retries of events from before the start are not all recognised after ${catchUpMsMax} ms`)
  }
  await app.listen({ host: config.host, port: config.port })
  return {
    // Nothing new is taken before what was taken is answered: under load the queue would never be empty otherwise.
    drain: async () => {
      await drain()
      await Promise.all([parts.producer.flush(), parts.letterProducer.flush()])
    },
    close: () => app.close(),
  }
}

type Parts = Awaited<ReturnType<typeof openParts>>

/** The clients of Kafka and of the registry, and what is followed of both. */
async function openParts(config: GatewayConfig, { logger, onClose }: Lifecycle, metrics: GatewayMetrics) {
  const connection = await connectionOf(config.kafka)
  const admin = openAdmin(connection)
  onClose('admin client', admin.close)
  const registry = openRegistry({ ...config.registry, caPem: await readFile(config.registry.caFile, 'utf8') })
  onClose('registry client', registry.close)
  const schemaCache = openSchemaCache(registry, {
    warn: warningsOf(logger),
    ...(config.schemaSnapshotFile !== undefined && { snapshotFile: config.schemaSnapshotFile }),
  })
  onClose('schema cache', schemaCache.close)
  const grown = new Set<() => void>()
  const catalog = await followCatalog(connection, {
    onChange: watchGrowth(() => grown.forEach((refresh) => refresh())),
    onTrouble: (error) => logger.warn({ err: error }, 'the catalog cannot be read at the moment'),
    onUnreadable: (type) => logger.warn({ type }, 'an entry of the catalog is not understood'),
  })
  onClose('catalog', catalog.close)
  const producer = openProducer(connection)
  onClose('producer', producer.close)
  const letterProducer = openProducer(connection, deadLetterProducer)
  onClose('producer of dead letters', letterProducer.close)
  const sealing = createSealing(await readFile(config.sealingKeysFile, 'utf8'), config.sealingKeysFile)
  const reader = openReader(connection)
  onClose('reader', reader.close)
  const feed = openTopicFeed(connection, logger)
  onClose('topic feed', feed.close)
  grown.add(feed.refresh)
  const eventTypes = createEventTypes(catalog, (error) =>
    logger.error(
      { err: error },
      'events of a type are not taken: put a schema that can be used in the place of its own',
    ),
  )
  const window = { identitiesMax: config.identitiesMax, windowMs: config.identityWindowMs }
  const identities = createIdentities(window)
  const identityFeed = openIdentityFeed(
    connection,
    admin,
    () => new Set(eventTypes.all().map(({ topic }) => topic)),
    identities,
    { ...window, catchUpMsMax },
    (error) => logger.warn({ err: error }, 'retries of events of other instances are not recognised at the moment'),
  )
  onClose('identity feed', identityFeed.close)
  grown.add(identityFeed.refresh)
  onClose('event loop delay', watchEventLoop(metrics.eventLoopDelay))
  metrics.watchProduceQueue(producer.queuedEvents)
  metrics.watchIdentities(identities.size)
  const deadLetters = createDeadLetters(letterProducer, sealing, metrics, (error) =>
    logger.error(
      { err: error },
      'an event that the cluster refused could not be kept as a dead letter: its producer was told',
    ),
  )
  const replayLog = lazily(() => openReplayLog(connection, producer))
  onClose('replay log', replayLog.close)
  const ledger = lazily(() =>
    openLedgerView(connection, (error) => logger.warn({ err: error }, 'the accounting cannot be read at the moment')),
  )
  onClose('accounting', ledger.close)
  return {
    ...{ replayLog: replayLog.open, ledger: ledger.open },
    ...{ admin, registry, schemaCache, catalog, producer, letterProducer, sealing, deadLetters, reader, feed },
    ...{ eventTypes, identities, identityFeed },
  }
}

async function addRoutes(
  app: FastifyInstance,
  config: GatewayConfig,
  { logger, onClose, isReady }: Lifecycle,
  metrics: GatewayMetrics,
  {
    admin,
    registry,
    schemaCache,
    catalog,
    producer,
    deadLetters,
    sealing,
    replayLog,
    ledger,
    reader,
    feed,
    eventTypes,
    identities,
    stopping,
  }: Parts & Pick<Drain, 'stopping'>,
): Promise<void> {
  const routes = noteRoutes(app)
  const authenticate = createAuthentication(config.tokens, warningsOf(logger))
  admitRequests(app, authenticate, createRateLimit(config.rateLimit))
  const payloads = createPayloads(eventTypes, schemaCache)
  const ingest = createIngest({
    eventTypes,
    payloads,
    identities,
    producer,
    deadLetters,
    registryUrl: config.registry.url,
    metrics,
    onFault: (error) => logger.error({ err: error }, 'an event could not be judged'),
  })
  publishRoute(app, ingest, config, stopping)

  const itemsOf = createItems(eventTypes, payloads.read)
  const streamedItemsOf = createItems(eventTypes, payloads.readLive)
  const liveTopics = createLiveTopics(feed, streamedItemsOf, (error) =>
    logger.error({ err: error }, 'an event could not be sent to a live stream: it ends, and may be resumed'),
  )
  onClose('live topics', liveTopics.close)
  const turns = createTurns({ atOnceMax: config.readsAtOnceMax, ...readQueue })
  const catchUpTurns = createTurns({ atOnceMax: config.catchUpReadersMax, ...catchUpQueue })
  const streams = createStreams(
    {
      streamsMax: config.streamsMax,
      bufferBytesMax: config.streamBufferBytesMax,
      buffersBytesMax: config.streamBuffersBytesMax,
    },
    { reader, itemsOf: streamedItemsOf, turns: catchUpTurns },
    metrics,
    logger,
  )
  readRoutes(app, eventTypes, reader, itemsOf, turns)
  explainRoute(app, { eventTypes, reader, itemsOf, turns: catchUpTurns, stopping, logger })
  deadLetterRoutes(app, {
    ...{ eventTypes, payloads, reader, turns, logger },
    replays: {
      ...{ eventTypes, payloads, sealing, identities, producer, reader, log: replayLog },
      count: (topic, outcome, count) => metrics.replayed.inc({ topic, outcome }, count),
      onFault: (error) => logger.error({ err: error }, 'replayed, but not noted: another replay may do it again'),
    },
  })
  catalogRoutes(app, {
    eventTypes,
    world: { admin, replication: config.replication, registry, catalog: catalogOf(catalog, producer, admin) },
    partitionsMax: config.partitionsMax,
    audit: createAudit(logger),
  })
  const kafka = { name: 'kafka', check: () => admin.brokers() }
  const needed = createHealth([kafka])
  const all = createHealth([kafka, { name: 'registry', check: () => registry.subjects() }])
  ledgerRoute(app, ledger)
  healthRoutes(app, { isReady, needed, all }, metrics)
  await documentRoutes(app, eventTypes, routes)
  // The last, since every route behind it would take the upgrade to a WebSocket.
  await streamRoute(app, { eventTypes, liveTopics, streams, reader, turns })
}

function warningsOf(logger: Logger): (what: string, error?: unknown) => void {
  return (what, error) => logger.warn({ err: error }, what)
}

/** The catalog as changes see it: read with all that was written before by whomever; written means that this instance has it. */
function catalogOf(follower: CatalogFollower, producer: Producer, admin: Admin): Catalog {
  return {
    entries: async () => {
      const end = (await admin.endOffsets(catalogTopic)).get(0) ?? 0n
      await follower.reached(end - 1n)
      return follower.entries()
    },
    write: async (entry) => follower.reached((await putCatalogEntry(producer, entry)).offset),
    withdraw: async (type) => follower.reached((await withdrawCatalogEntry(producer, type)).offset),
  }
}

/** Opens something when it is first asked for; what fails to open is opened again at the next time. */
function lazily<T extends { readonly close: () => Promise<void> }>(open: () => Promise<T>) {
  let opened: Promise<T> | undefined
  const again = (error: unknown): never => {
    opened = undefined
    throw error
  }
  return {
    open: (): Promise<T> => (opened ??= open().catch(again)),
    close: async () => (await opened?.catch(() => undefined))?.close(),
  }
}

async function connectionOf({ caFile, ...kafka }: GatewayConfig['kafka']): Promise<KafkaConnection> {
  return { ...kafka, caPem: await readFile(caFile, 'utf8') }
}
