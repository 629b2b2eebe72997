import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Histogram } from 'prom-client'

const resolutionMs = 5
const sampleMs = 1_000

/**
 * Observes, each second, the longest delay of the event loop in it: a histogram, so that any number of scrapes see all of it, where a
 * maximum that a scrape resets is lost for the next.
 * @returns how to stop
 */
export function watchEventLoop(delays: Pick<Histogram, 'observe'>): () => Promise<void> {
  const monitor = monitorEventLoopDelay({ resolution: resolutionMs })
  monitor.enable()
  const timer = setInterval(() => {
    // What is measured is the time between two ticks of a timer, which is the resolution when nothing is late.
    delays.observe(Math.max(0, monitor.max / 1e9 - resolutionMs / 1_000))
    monitor.reset()
  }, sampleMs)
  return () => {
    clearInterval(timer)
    monitor.disable()
    return Promise.resolve()
  }
}
