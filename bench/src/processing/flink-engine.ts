/** The platform's own side: each pipeline is a job of its own. */
import { compilePipeline } from '@millrace/flink/compile'
import { cancel } from '@millrace/flink/job-manager'
import { awaitRunning, submit } from '@millrace/flink/jobs'
import type { Installation } from '@millrace/stack/installation'
import { openJobs } from '@millrace/stack/servers/flink'
import type { Engine } from './engine.ts'

const cancelTimeoutMs = 60_000

/** @param pid of the server */
export function flinkEngine(installation: Installation, schemaUrl: string, pid: () => number): Engine {
  const { cluster, environment } = openJobs(installation)
  let started: string[] = []
  return {
    pid,
    topicOf: ({ pipeline }) => pipeline.result.topic,
    start: async (works) => {
      for (const { pipeline } of works) {
        const compiled = compilePipeline(pipeline, { ...environment, schemaUrl: () => schemaUrl })
        // Not from its newest checkpoint, as the platform starts it, but from the beginning.
        started.push(await submit(cluster, compiled))
      }
      for (const job of started) await awaitRunning(cluster, job)
    },
    stop: async () => {
      for (const job of started) await cancel(cluster.url, job, cancelTimeoutMs)
      started = []
    },
  }
}
