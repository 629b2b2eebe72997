import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { MillraceError } from '@millrace/core/errors'

/** Kafka's own command line tools, as a user of their own: a reader that shares no code with the platform. */
export type KafkaTools = {
  readonly javaCommand: string
  /** Class path of Kafka's jars. */
  readonly classpath: string
  readonly bootstrapServers: string
  /** Properties of a Kafka client that may read the topics, and consumer groups whose names start with its user's. */
  readonly clientPropertiesFile: string
  /** The user's name: the first part of the consumer group's. */
  readonly user: string
}

const consumer = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
const offsets = 'org.apache.kafka.tools.GetOffsetShell'
const groups = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
const bytes = 'org.apache.kafka.common.serialization.BytesDeserializer'
const formatter = [
  'print.partition=true',
  'print.offset=true',
  'print.headers=true',
  'print.key=true',
  'print.value=true',
  'headers.separator=\\,',
  'null.literal=\\N',
  `key.deserializer=${bytes}`,
  `value.deserializer=${bytes}`,
  `headers.deserializer=${bytes}`,
]
/** Log4j's default would print errors between the records. */
const logging = `status=error
appender.stderr.type=Console
appender.stderr.name=stderr
appender.stderr.target=SYSTEM_ERR
appender.stderr.layout.type=PatternLayout
appender.stderr.layout.pattern=%p %c: %m%n%throwable{short.message}%n
rootLogger.level=error
rootLogger.appenderRef.stderr.ref=stderr
`

export type TopicRead = {
  readonly topic: string
  readonly file: string
  /**
   * Whether transactions write the topic. If not, every offset is a record and the reader stops at the last one; if so,
   * there are markers among the offsets: it stops when nothing more comes, and goes on if its group is not at the end then.
   */
  readonly transactional: boolean
}

const startDeadlineMs = 120_000
const readDeadlineMs = 500_000
/** How long nothing comes before the reader looks whether it is at the end. */
const quietMs = 4_000

/**
 * Reads topics from the beginning to the end that they have now, each into a file of lines for `load.ts`.
 * @throws MillraceError 'verdict.failed' when a topic cannot be read by this user, or not within the deadline.
 */
export async function readTopics(tools: KafkaTools, reads: readonly TopicRead[], directory: string): Promise<void> {
  writeFileSync(join(directory, 'log4j2.properties'), logging)
  const ends = await topicSizes(tools, reads, directory)
  // Two at a time: each is a Java virtual machine.
  const queue = [...reads]
  const worker = async (): Promise<void> => {
    for (let read = queue.shift(); read; read = queue.shift()) {
      const size = ends.get(read.topic) ?? 0
      if (size === 0) writeFileSync(read.file, '')
      else await readTopic(tools, read, size, directory)
    }
  }
  await Promise.all([worker(), worker()])
}

/** How many offsets each topic has, from its first to its last. */
async function topicSizes(
  tools: KafkaTools,
  reads: readonly TopicRead[],
  directory: string,
): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  for (const [time, sign] of [
    ['latest', 1],
    ['earliest', -1],
  ] as const) {
    const file = join(directory, `offsets-${time}`)
    const topics = reads.map(({ topic }) => topic.replaceAll('.', '\\.')).join('|')
    writeFileSync(file, '')
    await run(tools, [offsets, '--topic', topics, '--time', time], file, startDeadlineMs)
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const [topic, , offset] = line.split(':')
      if (topic && offset) sizes.set(topic, (sizes.get(topic) ?? 0) + sign * Number(offset))
    }
  }
  const unreadable = reads.find(({ topic }) => !sizes.has(topic))
  if (unreadable) {
    throw new MillraceError(
      'verdict.failed',
      `"${unreadable.topic}" does not exist, or "${tools.user}" may not read it`,
    )
  }
  return sizes
}

async function readTopic(tools: KafkaTools, read: TopicRead, size: number, directory: string): Promise<void> {
  const group = `${tools.user}-verdict-${crypto.randomUUID()}`
  const consume = (...options: readonly string[]): Promise<void> => {
    const settings = [
      ...['--topic', read.topic, '--from-beginning', '--isolation-level', 'read_committed', '--group', group],
      ...['--command-property', 'max.poll.records=5000', ...options],
      ...formatter.flatMap((property) => ['--formatter-property', property]),
    ]
    return run(tools, [consumer, ...settings], read.file, readDeadlineMs, directory)
  }
  writeFileSync(read.file, '')
  if (!read.transactional) {
    await consume('--max-messages', String(size), '--timeout-ms', String(startDeadlineMs))
    return
  }
  const deadlineMs = performance.now() + readDeadlineMs
  // Each time it goes on where its group is: what it commits at its end is behind the markers that it skipped. The wait grows, for on a
  // busy machine a group may take longer to form.
  for (let waitMs = quietMs; performance.now() < deadlineMs; waitMs *= 2) {
    await consume('--timeout-ms', String(waitMs))
    if (await isAtEnd(tools, group, read, directory)) return
  }
  throw new MillraceError('verdict.failed', `"${read.topic}" was not read to its end in ${readDeadlineMs / 1_000} s`)
}

/** Whether a group has committed the end of every partition, by Kafka's own tool. */
async function isAtEnd(tools: KafkaTools, group: string, read: TopicRead, directory: string): Promise<boolean> {
  const file = `${read.file}.group`
  writeFileSync(file, '')
  await run(tools, [groups, '--describe', '--group', group], file, startDeadlineMs, directory)
  const lags = lagsOf(readFileSync(file, 'utf8'))
  return lags.length > 0 && lags.every((lag) => lag === '0')
}

/** The column LAG of the tool's table, for partitions that have offsets; `-` where nothing was committed. */
function lagsOf(table: string): string[] {
  const [head = [], ...rows] = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => cells.length > 1)
  const [lag, end] = [head.indexOf('LAG'), head.indexOf('LOG-END-OFFSET')]
  return lag < 0 ? [] : rows.filter((cells) => cells[end] !== '0').map((cells) => cells[lag] ?? '-')
}

async function run(
  tools: KafkaTools,
  [main, ...options]: readonly string[],
  outputFile: string,
  deadlineMs: number,
  directory = join(outputFile, '..'),
): Promise<void> {
  const output = openSync(outputFile, 'a', 0o600)
  const errorsFile = `${outputFile}.stderr`
  const errors = openSync(errorsFile, 'w', 0o600)
  const virtualMachine = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const log = `-Dlog4j2.configurationFile=${join(directory, 'log4j2.properties')}`
  const connection = ['--bootstrap-server', tools.bootstrapServers, '--command-config', tools.clientPropertiesFile]
  const child = spawn(
    tools.javaCommand,
    [...virtualMachine, log, '-cp', tools.classpath, main ?? '', ...connection, ...options],
    { stdio: ['ignore', output, errors], timeout: deadlineMs, killSignal: 'SIGKILL' },
  )
  const ended = Promise.withResolvers<number | null>()
  child.once('error', ended.reject)
  child.once('exit', ended.resolve)
  const code = await ended.promise.finally(() => {
    closeSync(output)
    closeSync(errors)
  })
  if (code === 0) return
  const said = readFileSync(errorsFile, 'utf8').trim().slice(-600)
  throw new MillraceError(
    'verdict.failed',
    `${main ?? ''} ${code === null ? 'was too slow' : `ended with ${code}`}: ${said}`,
  )
}
