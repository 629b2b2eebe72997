/** The report as a picture. */
import { type Bar, barChart } from './bar-chart.ts'
import { batchEvents, type Mode } from './events.ts'
import { labels } from './labels.ts'
import type { LoadKind, Measurement } from './measure.ts'
import { type SubjectName, subjectNames } from './platform.ts'
import { median } from '../median.ts'
import { type Report, select } from './report.ts'

export function plotOf({ measurements, date, machine, rounds }: Report): string {
  const shown = subjectNames.filter((name) => measurements.some(({ subject }) => subject === name))
  const panel = (title: string, mode: Mode, kind: LoadKind, numberOf: (one: Measurement) => number) => ({
    title,
    bars: shown.map((subject) => barOf(select(measurements, subject, mode, kind).map(numberOf))),
  })
  return barChart({
    title: `Taking events in, ${date}`,
    subtitle: `${machine.cores} cores · Node ${machine.node} · bars: median of ${rounds} rounds, whiskers: least and most`,
    rows: shown.map((subject) => ({ label: labels[subject], highlighted: isGateway(subject) })),
    panels: [
      panel('Single: events per CPU-second', 'single', 'saturation', (one) => one.eventsPerCpuSecond),
      panel(`Batches of ${batchEvents}: events per CPU-second`, 'batch', 'saturation', (one) => one.eventsPerCpuSecond),
      panel('Single at half load: p95 in ms', 'single', 'half', ({ latencyMs }) => latencyMs.p95),
      panel('Single: memory in MB', 'single', 'saturation', ({ memoryBytes }) => memoryBytes / 1e6),
    ],
  })
}

function isGateway(subject: SubjectName): boolean {
  return subject.startsWith('millrace')
}

function barOf(numbers: readonly number[]): Bar | undefined {
  if (numbers.length === 0) return undefined
  return { value: median(numbers), min: Math.min(...numbers), max: Math.max(...numbers) }
}
