import { expect, test } from 'vitest'
import { markdownOf } from '../../src/processing/markdown.ts'
import type { Cost } from '../../src/processing/measure.ts'
import type { WorkName } from '../../src/processing/platform.ts'
import { type Measurement, reportOf, type SubjectName } from '../../src/processing/report.ts'

const machine = { cores: 2, model: 'a processor', node: 'v26.0.0', loadAverage: { start: 0.5, end: 2.5 } }
const options = { events: 1_000, rounds: 2, jvm: ['-Xmx640m'] }

function measured(subject: SubjectName, works: readonly WorkName[], round: number, cpuSeconds: number): Measurement {
  const running = { seconds: cpuSeconds / 2, cpu: { user: cpuSeconds - 1, system: 1 }, brokersCpu: 2 }
  const whole = { ...running, seconds: running.seconds + 3, cpu: { user: cpuSeconds + 1, system: 1 } }
  return { subject, works, round, results: 10, running, secondHalf: half(running), whole, memoryBytesMax: 3e8 }
}

/** All of it at twice the speed. */
function half({ seconds, cpu, brokersCpu }: Cost): Cost {
  return { seconds: seconds / 4, cpu: { user: cpu.user / 4, system: cpu.system / 4 }, brokersCpu: brokersCpu / 4 }
}

const both = (round: number, factor: number) => [
  measured('flink', ['tumbling'], round, 10 * factor),
  measured('streams', ['tumbling'], round, 20 * factor),
  measured('flink', ['sliding'], round, 10 * factor),
  measured('streams', ['tumbling', 'sliding'], round, 15 * factor),
]

test('a ratio is taken within each round: twice as many events for each CPU-second where the other takes twice as much', () => {
  const { ratios } = reportOf([...both(1, 1), ...both(2, 7)], options, machine)
  expect(ratios[0]).toEqual({ what: 'tumbling windows: events per CPU-second', median: 2, rounds: [2, 2] })
})

test('one program with two windows is held against two jobs', () => {
  const { ratios } = reportOf(both(1, 1), options, machine)
  const ratio = ratios.find(({ what }) => what.startsWith('both'))
  expect(ratio?.rounds).toEqual([0.75])
})

test('a round in which one of the two was not measured has no ratio', () => {
  const { ratios } = reportOf([measured('flink', ['sliding'], 1, 10)], options, machine)
  expect(ratios).toEqual([])
})

test('the page has the ratios first, then a row for each subject and its works', () => {
  const page = markdownOf(reportOf(both(1, 1), options, machine))
  expect(page.indexOf('| tumbling windows: events per CPU-second | 2 | 2 |')).toBeGreaterThan(0)
  expect(page).toContain(
    '| Millrace: a Flink job for each pipeline | tumbling | 200 | 100 | 200 | 5.0 | 9.0 + 1.0 | 2.0 | 8.0 | 12.0 | 300 |',
  )
})
