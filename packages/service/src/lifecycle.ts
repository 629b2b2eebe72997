import { createLogger, type Logger } from './logger.ts'

/** What a running service gives back: how it stops taking work, and how it ends. */
export type Service = {
  /** Finishes what was taken; new work is refused from now on. */
  readonly drain?: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Given to a service while it starts, so that what it opened is closed in reverse order, after a failed start too. */
export type Lifecycle = {
  readonly logger: Logger
  /** Registers what was just opened. The name is what a message says when closing takes too long. */
  readonly onClose: (name: string, close: () => Promise<void>) => void
  /** False before the start is done and from the moment that the service was told to stop. */
  readonly isReady: () => boolean
  /** Stops the service as a signal would, with exit code 1: it cannot go on, and says why. */
  readonly fail: (error: Error) => void
}

type Step = { readonly name: string; readonly run: () => Promise<void> }

/** Longer than a gateway still takes requests (3 s), and then gives the last of their events (11 s). */
const drainTimeoutMs = 15_000
const closeTimeoutMs = 3_000
/** How long the process may linger after everything is closed before it is ended. */
const lingerTimeoutMs = 1_000

/**
 * Runs a service until SIGTERM or SIGINT: readiness off, drain, close in reverse order, each with a deadline.
 * A start that fails is rolled back, reported in one sentence, and the process exits with code 1. A second signal ends it at once.
 */
export async function runService(
  name: string,
  start: (lifecycle: Lifecycle) => Promise<Service | undefined>,
): Promise<void> {
  const logger = createLogger(name)
  const steps: Step[] = []
  let ready = false
  const failed = Promise.withResolvers<string>()
  const stopped = Promise.race([stopSignal(), failed.promise])
  const lifecycle: Lifecycle = {
    logger,
    onClose: (step, close) => steps.push({ name: step, run: close }),
    isReady: () => ready,
    fail: (error) => {
      process.exitCode = 1
      logger.fatal({ err: error }, `${name} cannot go on: ${error.message}`)
      failed.resolve('failure')
    },
  }
  try {
    const service = await start(lifecycle)
    if (service) lifecycle.onClose(name, service.close)
    ready = true
    logger.info('ready')
    const signal = await stopped
    ready = false
    logger.info({ signal }, 'stopping')
    if (service?.drain) await runStep({ name: 'drain', run: service.drain }, drainTimeoutMs, logger)
  } catch (error) {
    process.exitCode = 1
    logger.fatal({ err: error }, `${name} did not start: ${sentenceOf(error)}`)
  }
  for (const step of steps.reverse()) await runStep(step, closeTimeoutMs, logger)
  endSoon(logger)
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
  })
}

async function runStep(step: Step, timeoutMs: number, logger: Logger): Promise<void> {
  const deadline = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => deadline.resolve('late'), timeoutMs)
  try {
    const outcome = await Promise.race([step.run(), deadline.promise])
    if (outcome !== 'late') return
    process.exitCode = 1
    logger.error({ step: step.name, timeoutMs }, `"${step.name}" did not stop within ${timeoutMs} ms`)
  } catch (error) {
    process.exitCode = 1
    logger.error({ err: error, step: step.name }, `"${step.name}" failed while stopping`)
  } finally {
    clearTimeout(timer)
  }
}

/** Something late may hold the process open for ever; unreferenced, this timer fires only then. */
function endSoon(logger: Logger): void {
  setTimeout(() => {
    logger.warn('ended by force: something was still open')
    process.exit()
  }, lingerTimeoutMs).unref()
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
