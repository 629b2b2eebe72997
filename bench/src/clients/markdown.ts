import { faults } from './faults.ts'
import { answerDeadlineMs } from './load.ts'
import type { Report, Row } from './report.ts'

const head = [
  'acknowledged',
  'not confirmed',
  'never answered',
  'lost',
  'copies',
  'elsewhere',
  'out of order',
  'died',
  'silence, s',
  'clean runs',
]

/** The page of a report. */
export function markdownOf({ date, machine, rounds, candidates, totals, rows }: Report): string {
  const faultNames = [...new Set(rows.flatMap(({ fault }) => fault ?? []))]
  return [
    `# Producers under faults, ${date}`,
    '',
    '| client | version | settings, besides idempotent and acks=all |',
    '| --- | --- | --- |',
    ...candidates.map(({ name, version, settings }) => `| ${name} | ${version} | ${settings} |`),
    '',
    '## All faults together',
    '',
    ...table(totals),
    '',
    ...legend,
    '',
    '## The run',
    '',
    `- ${machine.cores} cores (${machine.model}) for everything, Node ${machine.node}. Load average of the last minute ${machine.loadAverage.start.toFixed(1)} before the`,
    `  run, ${machine.loadAverage.end.toFixed(1)} at its end.`,
    '- Three brokers (TLS, SCRAM, three copies, two in sync). Each client has a process and a topic with 12 partitions of its own, and is',
    '  offered 1 000 records/s of 960 keys, in sends of 20, whatever is still unanswered, up to 2 000; a fault befalls those of a group',
    `  at the same moment. Rounds: ${rounds}.`,
    '- Every record is written into a ledger before it is sent, and so is its answer. None is sent twice by the load. Kafka’s console',
    '  consumer reads the topics; DuckDB compares.',
    ...faultNames.flatMap((name) => [
      '',
      `## ${name}: ${faults.find((fault) => fault.name === name)?.says ?? ''}`,
      '',
      ...table(rows.filter(({ fault }) => fault === name)),
    ]),
    '',
  ].join('\n')
}

const legend = [
  '- **not confirmed**: the client said that it failed; such a record may be stored, once.',
  `- **never answered**: ${answerDeadlineMs / 1_000} s after it was sent the client had said nothing of it.`,
  '- **lost**: acknowledged, and not in the topic. **copies**: stored again, though sent once.',
  '- **elsewhere**: acknowledged and stored, but not at the partition and offset that were told, or these were not told.',
  '- **out of order**: acknowledged, and behind a record of the same key that was sent later; a key may have several under way.',
  '- **died**: runs in which the client ended its process. **silence**: the longest time without an acknowledgement.',
  '- **clean runs**: with none of these, but for what was not confirmed, and silence.',
]

function table(rows: readonly Row[]): string[] {
  return [
    `| client | ${head.join(' | ')} |`,
    `| --- |${' --: |'.repeat(head.length)}`,
    ...rows.map((row) => `| ${row.candidate} | ${cellsOf(row).join(' | ')} |`),
  ]
}

function cellsOf(row: Row): string[] {
  const { acknowledged, unconfirmed, unanswered, lost, copies, misplaced, disordered, died } = row
  return [
    acknowledged.toLocaleString('en'),
    unconfirmed.toLocaleString('en'),
    ...[unanswered, lost, copies, misplaced, disordered, died].map((wrong) =>
      wrong === 0 ? '0' : `**${wrong.toLocaleString('en')}**`,
    ),
    (row.silenceMs / 1_000).toFixed(1),
    `${row.clean} of ${row.runs}`,
  ]
}
