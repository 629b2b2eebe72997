export type Bar = { readonly label: string; readonly value: number; readonly highlighted: boolean }
export type BarGroup = { readonly title: string; readonly bars: readonly Bar[] }

const width = 760
const labelWidth = 190
const barHeight = 18
const rowHeight = 24
const groupGap = 44
const top = 48
const barWidthMax = width - labelWidth - 90

/** Horizontal bars in groups, each group by a scale of its own, as SVG. */
export function barChart(title: string, groups: readonly BarGroup[]): string {
  const parts: string[] = []
  let y = top
  for (const group of groups) {
    parts.push(text(12, y, group.title, 'font-weight="bold"'))
    y += 12
    const scale = barWidthMax / Math.max(...group.bars.map(({ value }) => value), 1e-9)
    for (const bar of group.bars) {
      parts.push(...barOf(bar, y, scale))
      y += rowHeight
    }
    y += groupGap
  }
  const height = y - groupGap + 12
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(12, 22, title, 'font-size="15"'),
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

function barOf({ label, value, highlighted }: Bar, y: number, scale: number): string[] {
  const length = Math.max(1, value * scale)
  const fill = highlighted ? '#1f6feb' : '#8b949e'
  return [
    text(labelWidth - 8, y + barHeight - 4, label, 'text-anchor="end"'),
    `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" fill="${fill}"/>`,
    text(labelWidth + length + 6, y + barHeight - 4, value >= 100 ? value.toFixed(0) : value.toFixed(1)),
  ]
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped}</text>`
}
