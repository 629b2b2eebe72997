/** The other side: the same windows by Kafka Streams. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Admin } from '@millrace/kafka/admin'
import type { Installation } from '@millrace/stack/installation'
import { classPathOf } from '@millrace/stack/jvm'
import { kafkaClientSettings } from '@millrace/stack/kafka-client-settings'
import { log4jArgument } from '@millrace/stack/logging'
import { properties } from '@millrace/stack/properties'
import { writeSecret } from '@millrace/stack/secrets'
import type { Engine } from './engine.ts'
import { flightDeparted, type Work } from './platform.ts'
import { startStreams, type StreamsProgram } from './streams-program.ts'

/** Who may do everything: an application makes topics of its own. */
const user = 'admin'

/** What its users set for throughput; all else is Kafka Streams' default. */
export const streamsSettings = {
  'processing.guarantee': 'exactly_once_v2',
  // The interval of the platform's checkpoints: results become readable with either.
  'commit.interval.ms': 400,
  // As the platform's sinks have it.
  'producer.batch.size': 131_072,
  'auto.offset.reset': 'earliest',
} as const

export async function openStreams(
  installation: Installation,
  jars: string,
  jvm: readonly string[],
): Promise<StreamsProgram> {
  const { layout, java, bootstrapServers } = installation
  const stateDirectory = join(layout.data, 'streams')
  await mkdir(stateDirectory, { recursive: true, mode: 0o700 })
  const settingsFile = join(layout.configuration, 'streams.properties')
  const settings = { 'bootstrap.servers': bootstrapServers.join(','), 'state.dir': stateDirectory, ...streamsSettings }
  await writeSecret(settingsFile, properties({ ...settings, ...kafkaClientSettings(installation, user) }))
  const command = {
    file: java.command,
    arguments: [
      ...jvm,
      log4jArgument(layout),
      '-cp',
      classPathOf(jars),
      'io.millrace.bench.StreamsProgram',
      settingsFile,
    ],
  }
  return startStreams(command, join(layout.logs, 'streams.stderr'))
}

export function streamsTopic({ name }: Work): string {
  return `bench.streams.${name}`
}

/** @param threads how many share the partitions */
export function streamsEngine({ pid, tell }: StreamsProgram, threads: number, admin: Admin): Engine {
  let runs = 0
  let applicationId = ''
  return {
    pid: () => pid,
    topicOf: streamsTopic,
    start: async (works) => {
      runs += 1
      const pipelines = works.map((work) => ({
        to: streamsTopic(work),
        sizeMs: work.window.sizeMs,
        everyMs: work.window.everyMs,
        graceMs: work.pipeline.watermark.outOfOrdernessMs,
      }))
      // A new application each time: it has committed nothing yet.
      applicationId = `bench-streams-${threads}-${works.map(({ name }) => name).join('-')}-${runs}`
      await tell(JSON.stringify({ applicationId, threads, from: flightDeparted.topic, pipelines }), 'running')
    },
    stop: async () => {
      await tell('stop', 'stopped')
      const own = (await admin.topicNames()).filter((name) => name.startsWith(`${applicationId}-`))
      await admin.deleteTopics(own)
    },
  }
}
