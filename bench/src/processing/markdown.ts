/** The report as a page: the ratios first, then what was measured. */
import type { Report, Row, SubjectName } from './report.ts'

const labels: Readonly<Record<SubjectName, string>> = {
  flink: 'Millrace (Flink)',
  streams: 'Kafka Streams, 2 threads',
  'streams-1': 'Kafka Streams, 1 thread',
}

export function markdownOf(report: Report): string {
  return [
    `# Windows of events, ${report.date}`,
    '',
    '## Millrace’s pipelines against Kafka Streams',
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
  ].join('\n')
}

function ratiosOf({ ratios }: Report): string[] {
  const cells = ratios.map(({ what, median, rounds }) => [what, short(median), rounds.map(short).join(', ')])
  return tableOf(['Millrace ÷ Kafka Streams', 'median', 'each round'], cells)
}

function runOf({ machine, events, rounds }: Report): string[] {
  const { cores, model, node, loadAverage } = machine
  return [
    `- ${cores} cores (${model}) for everything. ${events} events, ${rounds} rounds. Node ${node}. Load ${loadAverage.start.toFixed(1)} ${loadAverage.end.toFixed(1)}`,
  ]
}

function table({ rows }: Report): string[] {
  const columns = [
    '',
    'windows',
    'events/s',
    'per CPU-second',
    's',
    'CPU s: user + system',
    'brokers’ CPU s',
    'with start: s',
    'CPU s',
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
    row.seconds.toFixed(1),
    `${cpu.user.toFixed(1)} + ${cpu.system.toFixed(1)}`,
    row.brokersCpu.toFixed(1),
    whole.seconds.toFixed(1),
    whole.cpuSeconds.toFixed(1),
    row.memoryMbMax.toFixed(0),
  ]
}

function tableOf(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)]
}

function short(number: number): string {
  return String(Number(number.toPrecision(3)))
}
