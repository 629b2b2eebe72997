/** A figure of horizontal bars as SVG: panels in pairs, side by side, with the same rows; each by a linear scale of its own, from 0. */
export type Bar = { readonly value: number; readonly min: number; readonly max: number }
export type Panel = { readonly title: string; readonly bars: readonly (Bar | undefined)[] }
export type Figure = {
  readonly title: string
  readonly subtitle: string
  readonly rows: readonly { readonly label: string; readonly highlighted: boolean }[]
  readonly panels: readonly Panel[]
}

const margin = 16
const labelWidth = 186
const scaleWidth = 290
/** For the number beside the longest bar. */
const numberWidth = 64
const panelWidth = scaleWidth + numberWidth
const gap = 20
const width = 2 * margin + labelWidth + 2 * panelWidth + gap
const headHeight = 66
const titleHeight = 24
const rowHeight = 26
const barHeight = 18
const axisHeight = 46
const capHeight = 8
const ticksAbout = 4
const colours = { highlighted: '#1f6feb', other: '#9aa4af', grid: '#d8dee4', ink: '#1f2328', soft: '#59636e' }

export function barChart({ title, subtitle, rows, panels }: Figure): string {
  const panelHeight = titleHeight + rows.length * rowHeight + axisHeight
  const height = headHeight + Math.ceil(panels.length / 2) * panelHeight
  const parts = panels.flatMap((panel, index) => {
    const top = headHeight + Math.floor(index / 2) * panelHeight
    const left = margin + labelWidth + (index % 2) * (panelWidth + gap)
    return [...(index % 2 === 0 ? labelsOf(rows, top) : []), ...panelOf(panel, rows, left, top)]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif" font-size="13">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(margin, 26, title, 'font-size="17" font-weight="bold"'),
    text(margin, 46, subtitle, `fill="${colours.soft}"`),
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

function labelsOf(rows: Figure['rows'], top: number): string[] {
  return rows.map(({ label, highlighted }, row) =>
    text(
      margin + labelWidth - 10,
      middleOf(top, row) + 5,
      label,
      `text-anchor="end"${highlighted ? ' font-weight="bold"' : ''}`,
    ),
  )
}

function panelOf({ title, bars }: Panel, rows: Figure['rows'], left: number, top: number): string[] {
  const ticks = ticksTo(Math.max(0, ...bars.map((bar) => bar?.max ?? 0)))
  const scale = scaleWidth / (ticks.at(-1) ?? 1)
  const bottom = top + titleHeight + rows.length * rowHeight
  return [
    text(left, top + 14, title, 'font-weight="bold"'),
    ...ticks.flatMap((tick) => [
      line(left + tick * scale, top + titleHeight, left + tick * scale, bottom, colours.grid),
      text(
        left + tick * scale,
        bottom + 16,
        numberText(tick),
        `text-anchor="middle" font-size="11" fill="${colours.soft}"`,
      ),
    ]),
    ...bars.flatMap((bar, row) =>
      bar ? barOf(bar, left, middleOf(top, row), scale, rows[row]?.highlighted ?? false) : [],
    ),
    line(left, top + titleHeight, left, bottom, colours.ink),
  ]
}

function barOf({ value, min, max }: Bar, left: number, middle: number, scale: number, highlighted: boolean): string[] {
  const [from, to] = [left + min * scale, left + max * scale]
  const cap = (x: number) => line(x, middle - capHeight / 2, x, middle + capHeight / 2, colours.ink)
  const fill = highlighted ? colours.highlighted : colours.other
  return [
    `<rect x="${left}" y="${middle - barHeight / 2}" width="${(value * scale).toFixed(1)}" height="${barHeight}" fill="${fill}"/>`,
    ...(max > min ? [line(from, middle, to, middle, colours.ink), cap(from), cap(to)] : []),
    // Its white edge keeps the grid from running through it.
    text(to + 7, middle + 5, numberText(value), 'stroke="white" stroke-width="4" paint-order="stroke"'),
  ]
}

function middleOf(top: number, row: number): number {
  return top + titleHeight + (row + 0.5) * rowHeight
}

/** Round numbers from 0 to the first that is not below `max`. */
export function ticksTo(max: number): number[] {
  if (max <= 0) return [0, 1]
  const rough = max / ticksAbout
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, index) => Number((index * step).toPrecision(12)))
}

/** Thousands apart from each other, and what is small to three digits. */
function numberText(value: number): string {
  return value >= 100
    ? value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, '\u202f')
    : String(Number(value.toPrecision(value >= 10 ? 3 : 2)))
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${colour}"/>`
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes || `fill="${colours.ink}"`}>${escaped}</text>`
}
