/** The report as a page: the targets first, then what was measured. */
import { tableOf } from '../markdown-table.ts'
import { batchEvents, type Mode } from './events.ts'
import { labels } from './labels.ts'
import type { LoadKind } from './measure.ts'
import type { Report, Row } from './report.ts'

export function markdownOf(report: Report): string {
  return [
    `# Taking events in, ${report.date}`,
    '',
    '## Against the targets',
    '',
    ...targetsOf(report),
    '',
    `![Events per CPU-second, latency and memory](./${report.date}-ingest.svg)`,
    '',
    '## The run',
    '',
    ...runOf(report),
    ...loads.flatMap(([title, mode, kind]) => section(title, report, mode, kind)),
    '',
    '## What was compared',
    '',
    ...notes,
    '',
  ].join('\n')
}

function targetsOf({ ratios }: Report): string[] {
  const cells = ratios.map(({ what, median, rounds, target, reached }) => [
    what,
    short(median),
    rounds.map(short).join(', '),
    target ?? '',
    target === null ? '' : reached ? 'met' : '**missed**',
  ])
  return [
    ...tableOf(['the gateway', 'median', 'each round', 'target', ''], cells),
    '',
    'A ratio is the gateway’s number divided by the other’s of the same round. "met": the median over the rounds is at the target or better;',
    '"missed": it is worse. A row without a target is there to read the others by. The gateway has all its features on.',
  ]
}

function runOf({ machine, rounds, seconds }: Report): string[] {
  const { cores, model, node, loadAverage } = machine
  return [
    `- ${cores} cores (${model}) for everything: three brokers (TLS, SCRAM, three copies, two in sync), the subject and the load generator.`,
    `- Node ${node}. Rounds in turns: ${rounds}, each subject ${seconds} s under each load; the tables show medians.`,
    `- Load average of the last minute ${loadAverage.start.toFixed(1)} before the run, ${loadAverage.end.toFixed(1)} at its end (its own part is in that).`,
    '- Absolute rates and latencies are this machine’s, with whatever else ran on it; what can be compared is events per CPU-second of the',
    '  process under test, and the ratios within a round. They depend on the rate too: the fewer events come at once, the fewer share a turn',
    '  of the event loop and a request to Kafka, and the more each costs, whoever takes it (see the half load).',
  ]
}

const loads: readonly [string, Mode, LoadKind][] = [
  ['Single events, as fast as they are answered (64 connections)', 'single', 'saturation'],
  [`Batches of ${batchEvents}, as fast as they are answered (8 connections)`, 'batch', 'saturation'],
  ['Single events at half load (open loop)', 'single', 'half'],
]

function section(title: string, { rows, machine }: Report, mode: Mode, kind: LoadKind): string[] {
  const shown = rows.filter((row) => row.mode === mode && row.kind === kind)
  if (shown.length === 0) return []
  const rate = kind === 'half' ? ['due/s'] : []
  const columns = ['', ...rate, 'events/s', 'per CPU-second', 'p50 ms', 'p95 ms', 'p99 ms', 'memory MB', 'failed']
  const busy = ['subject: user + system', 'generator', 'brokers']
  return [
    '',
    `## ${title}`,
    '',
    ...tableOf(
      [...columns, ...busy],
      shown.map((row) => cellsOf(row, kind)),
    ),
    '',
    ...(kind === 'half' ? [halfNote] : saturationNote(shown, machine.cores)),
  ]
}

function cellsOf(row: Row, kind: LoadKind): string[] {
  const { cores } = row
  return [
    labels[row.subject],
    ...(kind === 'half' ? [row.offeredPerSecond?.toFixed(0) ?? ''] : []),
    row.eventsPerSecond.toFixed(0),
    row.eventsPerCpuSecond.toFixed(0),
    row.p50Ms.toFixed(1),
    row.p95Ms.toFixed(1),
    row.p99Ms.toFixed(1),
    row.memoryMb.toFixed(0),
    String(row.failures + row.unsent),
    `${cores.user.toFixed(2)} + ${cores.system.toFixed(2)}`,
    cores.generator.toFixed(2),
    cores.brokers.toFixed(2),
  ]
}

const halfNote =
  'Every subject gets half of the events/s that the gateway takes in JSON, measured in the same round, or half of its own where that is less.'

/** Less than this part of a core: the process under test was not what bounded events/s. */
const busyFrom = 0.9

function saturationNote(rows: readonly Row[], cores: number): string[] {
  const together = rows.map((row) => row.cores.user + row.cores.system + row.cores.generator + row.cores.brokers)
  const waiting = rows.filter((row) => row.cores.user + row.cores.system < busyFrom)
  const names =
    waiting.length === rows.length ? 'all of them' : waiting.map(({ subject }) => labels[subject]).join('; ')
  return [
    `Of the ${cores} cores, the brokers used ${rangeOf(rows.map((row) => row.cores.brokers))}; subject, load generator and brokers together`,
    `${rangeOf(together)}, and the rest was idle or taken by others.`,
    ...(waiting.length === 0
      ? []
      : [
          `Used less than ${busyFrom} of a core, so that brokers, load generator or others bounded their events/s, and only events per`,
          `CPU-second is their own: ${names}.`,
        ]),
  ]
}

function rangeOf(numbers: readonly number[]): string {
  return `${Math.min(...numbers).toFixed(2)} to ${Math.max(...numbers).toFixed(2)}`
}

const notes: readonly string[] = [
  'Latencies count from when a request was due, not from when it was sent. Every subject gets events of the same data, each with its own id and',
  'one of 1 000 keys, and writes to a topic of its own with 6 partitions, idempotent, acknowledged by all replicas in sync. Columns of cores:',
  'how many were busy. Memory: the part of each process (proportional set size) at the end of a measurement.',
  '',
  '- **Millrace gateway** checks the token, the envelope, the schema and that the id is new, and adds the CloudEvents headers. JSON: structured',
  '  events. Avro and Protobuf: single events in binary mode with bare bytes, which the gateway frames; in batches as `data_base64`. Their',
  '  schemas have the same fields and types, but no patterns and bounds, which these languages lack. One process serves all three.',
  '- **Benthos** validates the same JSON Schema and writes keyed records (the `key` setting of its `kafka_franz` output), since order by key is',
  '  part of the job; its natural form without a key would also fill one partition at a time and so make fewer, larger requests to Kafka. It',
  '  adds no headers and does not tell where an event is. It has no rows in Avro and Protobuf: the components that it is built of here have no',
  '  schema of these to check against, and those that have do other work (they convert to or from JSON).',
  '- **node:http + schema** parses and validates; **bare node:http** finds the key by its first letters and does nothing else to a single event,',
  '  but must parse a batch. Both have the same Kafka client and keys as the gateway, and neither token, envelope nor headers.',
  '- **client alone** makes its load within its own process, so that its CPU time includes that and its load generator is idle.',
]

/** Three significant digits tell more than noise would. */
function short(number: number): string {
  return number >= 1_000 ? number.toFixed(0) : String(Number(number.toPrecision(3)))
}
