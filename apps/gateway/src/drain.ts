import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** How long an instance that is told to stop goes on serving, for a balancer that has not noticed yet. */
const graceMs = 2_000
/** When nothing has come for so long, nobody sends anything here any more. */
const quietMs = 250
/** What was accepted in the last moment has this long to send its request. */
const stragglersMs = 1_000
const pollMs = 25
/** A turn of the event loop shorter than this leaves hardly any time for a connection to be queued and not accepted. */
const shortTurnMs = 0.2
const shortTurnWaitMs = 250

export type Drain = {
  /**
   * Serves on, with every answer closing its connection so that the client comes back elsewhere, until nothing comes any more or the
   * time is over; then it stops listening, answers what it has, and closes the server.
   */
  readonly drain: () => Promise<void>
  /** Aborted when what is taken piece by piece must be taken no further, so that there is time left to answer it. */
  readonly stopping: AbortSignal
}

/** Lets an instance go without a client noticing. */
export function createDrain(app: FastifyInstance): Drain {
  let leaving = false
  const stopping = new AbortController()
  let lastArrivalMs = 0
  const arrived = () => (lastArrivalMs = performance.now())
  app.server.on('connection', arrived)
  app.addHook('onRequest', (request, _reply, done) => {
    // Whoever watches over this instance goes on asking: that is no reason to stay.
    if (!/^\/(health|metrics)/.test(request.url)) arrived()
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (leaving) reply.header('connection', 'close')
    done(null, payload)
  })
  const untilQuiet = async (timeoutMs: number): Promise<void> => {
    const endMs = performance.now() + timeoutMs
    while (performance.now() < Math.min(endMs, lastArrivalMs + quietMs)) await delay(pollMs)
  }
  const drain = async (): Promise<void> => {
    leaving = true
    arrived()
    const graceOver = setTimeout(() => stopping.abort(), graceMs)
    await untilQuiet(graceMs)
    await shortTurn()
    const stopped = new Promise((resolve) => app.server.close(resolve))
    arrived()
    await untilQuiet(stragglersMs)
    await Promise.all([app.close(), stopped])
    clearTimeout(graceOver)
  }
  return { drain, stopping: stopping.signal }
}

/**
 * Resolves right after a turn of the event loop in which next to nothing was done. The kernel resets connections that wait to be
 * accepted when a server stops listening: they should be few.
 */
async function shortTurn(): Promise<void> {
  const endMs = performance.now() + shortTurnWaitMs
  for (let sinceMs = performance.now(); sinceMs < endMs; sinceMs = performance.now()) {
    await new Promise((resolve) => setImmediate(resolve))
    if (performance.now() - sinceMs < shortTurnMs) return
  }
}
