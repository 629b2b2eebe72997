/** The report as a page: the ratios first, then what was measured. */
import { tableOf } from '../markdown-table.ts'
import { streamsSettings } from './streams-engine.ts'
import type { Report, Row, SubjectName } from './report.ts'

const labels: Readonly<Record<SubjectName, string>> = {
  flink: 'Millrace: a Flink job for each pipeline',
  streams: 'Kafka Streams, 2 threads',
  'streams-1': 'Kafka Streams, 1 thread',
}

export function markdownOf(report: Report): string {
  return [
    `# Windows over events, ${report.date}`,
    '',
    '## Pipelines against Kafka Streams',
    '',
    ...ratiosOf(report),
    '',
    '## The run',
    '',
    ...runOf(report),
    '',
    '## What was measured',
    '',
    ...table(report),
    '',
    ...legend,
    '',
    '## What is not the same',
    '',
    ...notes,
    '',
  ].join('\n')
}

function ratiosOf({ ratios }: Report): string[] {
  const cells = ratios.map(({ what, median, rounds }) => [what, short(median), rounds.map(short).join(', ')])
  return [
    ...tableOf(['Millrace ÷ Kafka Streams', 'median', 'each round'], cells),
    '',
    'A ratio is the number of Millrace’s pipelines divided by that of the Kafka Streams program (two threads unless said) in the same round:',
    'above 1, the pipelines need less. Every window and key of both had the same result, once, in every run: counts equal, doubles to 1e-9.',
  ]
}

function runOf({ machine, events, rounds, jvm }: Report): string[] {
  const { cores, model, node, loadAverage } = machine
  const settings = Object.entries(streamsSettings).map(([name, value]) => `\`${name}=${value}\``)
  return [
    `- ${cores} cores (${model}) for everything: three brokers (TLS, SCRAM, three copies, two in sync), Flink, Kafka Streams, and what reads the`,
    `  results. Node ${node}. Load average of the last minute ${loadAverage.start.toFixed(1)} before the run, ${loadAverage.end.toFixed(1)} at its end (its own part is in that).`,
    `- One topic, written once as the gateway does (JSON, with the headers of CloudEvents): ${events.toLocaleString('en')} flights of 300 airports, in 6 partitions by`,
    '  airport, 4 000 in an hour of event time. A quarter is out of order by up to 4:50 min, which both wait for (5 min). One in a thousand is',
    '  6 to 30 hours late, and of airports that are left out of the comparison: which of them are late differs, for Kafka Streams knows how far each',
    '  partition is and Flink how far all are.',
    '- Windows by airport, with count, sum and average: tumbling of 1 hour; sliding of 3 hours, one each hour.',
    `- Both sides read the topic from its beginning, one at a time and in turns. Rounds: ${rounds}, after one that is thrown away, in which the JVMs`,
    `  compile. Both JVMs with all compilers, as in production: \`${jvm.join(' ')}\`.`,
    '- Flink: as the platform runs it, parallelism 1, checkpoints each 400 ms, exactly once.',
    `- Kafka Streams: ${settings.join(', ')}; window stores in memory with a changelog, \`suppress(untilWindowCloses)\`.`,
  ]
}

function table({ rows }: Report): string[] {
  const cost = ['s', 'CPU-s: user + system', 'brokers, CPU-s']
  const columns = [
    '',
    'windows',
    'events/s',
    'per CPU-second',
    'in the second half',
    ...cost,
    'with start: s',
    'CPU-s',
    'memory MB',
  ]
  return tableOf(columns, rows.map(cellsOf))
}

function cellsOf({ subject, works, cpu, whole, ...row }: Row): string[] {
  return [
    labels[subject],
    works.join(' and '),
    row.eventsPerSecond.toFixed(0),
    row.eventsPerCpuSecond.toFixed(0),
    row.eventsPerCpuSecondThen.toFixed(0),
    row.seconds.toFixed(1),
    `${cpu.user.toFixed(1)} + ${cpu.system.toFixed(1)}`,
    row.brokersCpu.toFixed(1),
    whole.seconds.toFixed(1),
    whole.cpuSeconds.toFixed(1),
    row.memoryMbMax.toFixed(0),
  ]
}

const legend = [
  'Medians over the rounds. Time and CPU time count from when a side says that it runs (all tasks of the job; all threads of the program) to the',
  'last result that a read-committed reader sees. In the second half: from when half of the results were there. With start: from when it was told to',
  'begin, with the planning of the job or the joining of the group. Memory: the most that the process had resident, since it began.',
]

const notes: readonly string[] = [
  'For Kafka Streams:',
  '',
  '- The topic is keyed by what the windows group by, so it partitions nothing again; a pipeline groups by any expression, and Flink hands every event',
  '  on by key between threads.',
  '- Its program reads the four fields that it needs and ends at an event that is none. A pipeline checks the whole event against its type, keeps the',
  '  bytes of what is malformed or late in a topic, looks whether a replayed event is for it, and counts every event with its outcome by minute in',
  '  the topic of accounts.',
  '- Its results have no headers. Those of a pipeline are CloudEvents and say which offsets they were made of.',
  '',
  'For Flink:',
  '',
  '- Its state goes to files on this machine with each checkpoint; that of Kafka Streams goes to topics with three copies, which the brokers’ CPU time',
  '  shows. A cluster would write to a store elsewhere.',
  '- A sliding window is made of slices that each event is in once; Kafka Streams has each event in three windows.',
  '- Kafka Streams has what its users set for throughput, as above, and no more was tried than in-memory against RocksDB stores.',
]

function short(number: number): string {
  return String(Number(number.toPrecision(3)))
}
