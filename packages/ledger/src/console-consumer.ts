import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

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

/** Kafka's own; the file says what it is started by. */
const consumer = fileURLToPath(new URL('BufferedConsoleConsumer.java', import.meta.url))
const offsets = 'org.apache.kafka.tools.GetOffsetShell'
const groups = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
const bytes = 'org.apache.kafka.common.serialization.BytesDeserializer'
const formatter = [
  'print.timestamp=true',
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

export type TopicRead = { readonly topic: string; readonly file: string }

/** What one reading of topics shares. `signal` ends every program of it at once. */
type Reading = { readonly tools: KafkaTools; readonly directory: string; readonly signal: AbortSignal }

const startDeadlineMs = 120_000
const readDeadlineMs = 500_000
/** How long nothing comes before the reader looks whether it is at the end. */
const quietMs = 4_000

/** What deletes consumer groups: an admin client of Kafka. */
export type Groups = {
  readonly groups: () => Promise<readonly { readonly id: string }[]>
  readonly deleteGroup: (id: string) => Promise<void>
}

/**
 * Deletes the groups that `readTopics` has left, and those of readings that were cut short: they will never read again, and would count as
 * consumers that lag. One that has not ended yet goes the next time. Never throws: a verdict stands without it.
 */
export async function deleteVerdictGroups(kafka: Groups, user: string): Promise<void> {
  for (const { id } of await kafka.groups().catch(() => [])) {
    if (id.startsWith(groupPrefix(user))) await kafka.deleteGroup(id).catch(() => undefined)
  }
}

function groupPrefix(user: string): string {
  return `${user}-verdict-`
}

/**
 * Reads topics from the beginning to the end that they have now, each into a file of lines for `console-lines.ts`. Offsets are no
 * count of records (transactions leave markers among them), so Kafka's own tool says whether a reader came to the end.
 * @throws MillraceError 'verdict.failed' when a topic cannot be read by this user, or not within the deadline; the reason of
 * `signal` when it is aborted. No program is left running then.
 */
export async function readTopics(
  tools: KafkaTools,
  reads: readonly TopicRead[],
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  writeFileSync(join(directory, 'log4j2.properties'), logging)
  const failure = new AbortController()
  const reading = { tools, directory, signal: AbortSignal.any([signal, failure.signal]) }
  const ends = await endsOf(reading, reads)
  // Two at a time: each is a Java virtual machine.
  const queue = [...reads]
  const worker = async (): Promise<void> => {
    try {
      for (let read = queue.shift(); read; read = queue.shift()) {
        await readTopic(reading, read, ends.get(read.topic) ?? new Map<number, number>())
      }
    } catch (error) {
      failure.abort(error)
      throw error
    }
  }
  await Promise.allSettled([worker(), worker()])
  reading.signal.throwIfAborted()
}

/** The offset after the last one, by partition; partitions that have nothing are left out. */
type Ends = ReadonlyMap<number, number>

async function endsOf(reading: Reading, reads: readonly TopicRead[]): Promise<Map<string, Ends>> {
  const file = join(reading.directory, 'offsets')
  const topics = reads.map(({ topic }) => topic.replaceAll('.', '\\.')).join('|')
  await run(reading, [offsets, '--topic', topics, '--time', 'latest'], file, startDeadlineMs)
  const ends = new Map<string, Map<number, number>>()
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [topic, partition, end] = line.split(':')
    if (!topic || end === undefined) continue
    const known = ends.get(topic) ?? new Map<number, number>()
    if (Number(end) > 0) known.set(Number(partition), Number(end))
    ends.set(topic, known)
  }
  const unreadable = reads.find(({ topic }) => !ends.has(topic))
  if (unreadable) {
    throw new MillraceError(
      'verdict.failed',
      `"${unreadable.topic}" does not exist, or "${reading.tools.user}" may not read it`,
    )
  }
  return ends
}

async function readTopic(reading: Reading, read: TopicRead, ends: Ends): Promise<void> {
  writeFileSync(read.file, '')
  if (ends.size === 0) return
  const group = `${groupPrefix(reading.tools.user)}${crypto.randomUUID()}`
  const settings = [
    ...['--topic', read.topic, '--from-beginning', '--isolation-level', 'read_committed', '--group', group],
    ...['--command-property', 'max.poll.records=5000'],
    ...formatter.flatMap((property) => ['--formatter-property', property]),
  ]
  const deadlineMs = performance.now() + readDeadlineMs
  // Each time it goes on where its group is: what it commits at its end is behind the markers that it skipped. The wait grows, for on a
  // busy machine a group may take longer to form.
  for (let waitMs = quietMs; performance.now() < deadlineMs; waitMs *= 2) {
    await run(reading, [consumer, ...settings, '--timeout-ms', String(waitMs)], read.file, readDeadlineMs)
    if (await isAtEnd(reading, group, read, ends)) return
  }
  throw new MillraceError('verdict.failed', `"${read.topic}" was not read to its end in ${readDeadlineMs / 1_000} s`)
}

/** Whether a group has committed the end of every partition, by Kafka's own tool. */
async function isAtEnd(reading: Reading, group: string, read: TopicRead, ends: Ends): Promise<boolean> {
  const file = `${read.file}.group`
  writeFileSync(file, '')
  await run(reading, [groups, '--describe', '--group', group], file, startDeadlineMs)
  const committed = committedOffsets(readFileSync(file, 'utf8'))
  return [...ends].every(([partition, end]) => (committed.get(partition) ?? 0) >= end)
}

/** The tool's table: the committed offset by partition, for those that have one. */
function committedOffsets(table: string): Map<number, number> {
  const [head = [], ...rows] = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => cells.length > 1)
  const [partition, offset] = [head.indexOf('PARTITION'), head.indexOf('CURRENT-OFFSET')]
  const numbers = rows.map((cells): [number, number] => [Number(cells[partition]), Number(cells[offset])])
  return new Map(numbers.filter((pair) => pair.every(Number.isSafeInteger)))
}

async function run(
  { tools, directory, signal }: Reading,
  [main = '', ...options]: readonly string[],
  outputFile: string,
  deadlineMs: number,
): Promise<void> {
  signal.throwIfAborted()
  const output = openSync(outputFile, 'a', 0o600)
  const errorsFile = `${outputFile}.stderr`
  const errors = openSync(errorsFile, 'w', 0o600)
  const virtualMachine = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const log = `-Dlog4j2.configurationFile=${join(directory, 'log4j2.properties')}`
  const connection = ['--bootstrap-server', tools.bootstrapServers, '--command-config', tools.clientPropertiesFile]
  const child = spawn(
    tools.javaCommand,
    [...virtualMachine, log, '-cp', tools.classpath, main, ...connection, ...options],
    { stdio: ['ignore', output, errors], timeout: deadlineMs, killSignal: 'SIGKILL', signal },
  )
  const ended = Promise.withResolvers<number | null>()
  child.once('error', ended.reject)
  child.once('exit', ended.resolve)
  const code = await ended.promise.finally(() => {
    closeSync(output)
    closeSync(errors)
  })
  if (code === 0) return
  signal.throwIfAborted()
  const said = readFileSync(errorsFile, 'utf8').trim().slice(-600)
  throw new MillraceError('verdict.failed', `${main} ${code === null ? 'was too slow' : `ended with ${code}`}: ${said}`)
}
