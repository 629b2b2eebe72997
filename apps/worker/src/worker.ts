import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CatalogEntry } from '@millrace/core/catalog'
import { MillraceError } from '@millrace/core/errors'
import { followCatalog } from '@millrace/kafka/catalog'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { createSealing } from '@millrace/kafka/sealing'
import type { Codec } from '@millrace/schemas/codec'
import { compileCodec } from '@millrace/schemas/compile-codec'
import { openRegistry } from '@millrace/schemas/registry'
import { openSchemaCache } from '@millrace/schemas/schema-cache'
import { loadDefinition } from '@millrace/service/definition'
import type { Lifecycle, Service } from '@millrace/service/lifecycle'
import type { Logger } from '@millrace/service/logger'
import { createMetrics } from '@millrace/service/metrics'
import { openStatusServer } from '@millrace/service/status-server'
import { type AttemptParts, createAttempts } from './attempts.ts'
import type { WorkerConfig } from './config.ts'
import { createDecode } from './decode.ts'
import { type HandlerRunOptions, openHandlerRun } from './handler-run.ts'
import { createWorkerMetrics } from './metrics.ts'

const againMs = 1_000

/** Runs every handler of a definition, each on a consumer group of its own. */
export async function startWorker(config: WorkerConfig, lifecycle: Lifecycle): Promise<Service> {
  const { logger, onClose, isReady, fail } = lifecycle
  const { handlers } = await loadDefinition(config.definitionFile)
  const { caFile, ...kafka } = config.kafka
  const connection = { ...kafka, caPem: await readFile(caFile, 'utf8') }
  const metrics = createMetrics()
  const parts = await openParts(config, connection, lifecycle)
  const metricsOf = createWorkerMetrics(metrics)
  const runs = handlers.map((handler) => {
    const told = { handler: handler.name }
    const run = {
      ...{ handler, connection, instance: config.instance },
      attempts: createAttempts(handler, parts),
      metrics: metricsOf(handler.name),
      onTrouble: (error: MillraceError) =>
        logger.warn({ ...told, err: error }, 'Kafka does not do what is asked at the moment'),
      onLost: () =>
        logger.warn(
          told,
          'the group took this worker for dead: what it had under way is handled again, by whoever has it then',
        ),
      onGap: (gap: object) =>
        logger.error({ ...told, gap }, 'events were gone before they were handled: retention took them'),
    }
    return keepRunning(run, logger, fail)
  })
  const status = await openStatusServer({ host: config.host, port: config.port, isReady, metrics })
  onClose('status server', status.close)
  return {
    drain: async () => {
      await Promise.all(runs.map((run) => run.stop()))
    },
    close: () => Promise.resolve(),
  }
}

/** What all handlers share. */
async function openParts(
  config: WorkerConfig,
  connection: KafkaConnection,
  { logger, onClose }: Lifecycle,
): Promise<AttemptParts> {
  const { sealingKeysFile, schemaSnapshotFile: snapshotFile } = config
  const sealing = createSealing(await readFile(sealingKeysFile, 'utf8'), sealingKeysFile)
  const registry = openRegistry({ ...config.registry, caPem: await readFile(config.registry.caFile, 'utf8') })
  onClose('registry client', registry.close)
  const cache = openSchemaCache(registry, {
    warn: (what, error) => logger.warn({ err: error }, what),
    ...(snapshotFile !== undefined && { snapshotFile }),
  })
  onClose('schema cache', cache.close)
  const catalog = await followCatalog(connection, {
    onTrouble: (error) => logger.warn({ err: error }, 'the catalog cannot be read at the moment'),
    onUnreadable: (type) => logger.warn({ type }, 'an entry of the catalog is not understood'),
  })
  onClose('catalog', catalog.close)
  const codecOf = codecs()
  return {
    entryOf: (type) => catalog.entries().get(type),
    codecOf,
    registryUrl: config.registry.url,
    decode: createDecode(codecOf, cache),
    sealing,
  }
}

function codecs(): (entry: CatalogEntry) => Codec {
  const known = new WeakMap<CatalogEntry, Codec>()
  return (entry) => {
    const codec = known.get(entry) ?? compileCodec(entry)
    known.set(entry, codec)
    return codec
  }
}

/** Begins a handler again whenever it cannot go on; `fail` is told when another worker has its place. */
function keepRunning(
  options: HandlerRunOptions,
  logger: Logger,
  fail: (error: Error) => void,
): { readonly stop: () => Promise<void> } {
  const stopping = new AbortController()
  const stopped = once(stopping.signal, 'abort')
  const runOnce = async (): Promise<void> => {
    const run = await openHandlerRun(options)
    // What fails when it is closed must not hide why it was.
    const close = () =>
      run.close().catch((error: unknown) => logger.warn({ err: error }, 'a handler was not closed well'))
    await Promise.race([run.failed, stopped]).finally(close)
  }
  const keep = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await runOnce()
      } catch (error) {
        if (error instanceof MillraceError && error.code === 'kafka.fenced') {
          fail(error)
          return
        }
        logger.warn({ handler: options.handler.name, err: error }, 'it begins again from what is committed')
        await sleep(againMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      }
    }
  }
  const running = keep()
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
