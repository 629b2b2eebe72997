import { expect, test } from 'vitest'
import { barChart, ticksTo } from '../src/ingest/bar-chart.ts'

test.each([
  [71_234, [0, 20_000, 40_000, 60_000, 80_000]],
  [4, [0, 1, 2, 3, 4]],
  [0.07, [0, 0.02, 0.04, 0.06, 0.08]],
  [0, [0, 1]],
])('an axis for %d begins at 0 and ends at a round number', (max, ticks) => {
  expect(ticksTo(max)).toEqual(ticks)
})

test('bars are as long as their values, and whiskers reach from the least to the most', () => {
  const svg = barChart({
    title: 'Title <1>',
    subtitle: 'subtitle',
    rows: [
      { label: 'one', highlighted: true },
      { label: 'two', highlighted: false },
      { label: 'three', highlighted: false },
    ],
    panels: [
      {
        title: 'panel',
        bars: [{ value: 50, min: 25, max: 100 }, { value: 25, min: 25, max: 25 }, undefined],
      },
    ],
  })
  const lengths = [...svg.matchAll(/<rect x="[^"]+" y="[^"]+" width="([\d.]+)"/g)].map(([, length]) => Number(length))
  expect(lengths).toHaveLength(2)
  expect(lengths[0]).toBe(2 * (lengths[1] ?? 0))
  const levels = [...svg.matchAll(/<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="\2"/g)]
  expect(levels.map(([, from, , to]) => Number(to) - Number(from))).toEqual([1.5 * (lengths[0] ?? 0)])
  expect(svg).toContain('Title &lt;1>')
})
