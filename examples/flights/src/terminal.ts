import { clearScreenDown, moveCursor } from 'node:readline'

/** Where the run shows itself: lines that stay, and on a terminal below them a block that is drawn over and over. */
export type Terminal = {
  /** Whether blocks can be shown: the stream is a terminal. */
  readonly isLive: boolean
  /** Writes a line that stays. */
  line(text: string): void
  /** Draws the block in the place of the last one. */
  show(lines: readonly string[]): void
  /** Leaves the block as it is; what is written next comes below it. */
  settle(): void
}

/** What is used of `process.stderr`. */
export type TerminalStream = NodeJS.WritableStream & {
  readonly isTTY: boolean
  readonly columns: number
  readonly rows: number
}

/** What a terminal is taken for that does not know its size: some pseudo-terminals report 0 columns and rows. */
const sizeUnknown = { columns: 80, rows: 24 }

export function openTerminal(stream: TerminalStream): Terminal {
  let block: readonly string[] = []
  let drawn = 0
  const erase = (): void => {
    if (drawn === 0) return
    moveCursor(stream, 0, -drawn)
    clearScreenDown(stream)
    drawn = 0
  }
  const draw = (): void => {
    // A line that wraps, or a block that scrolls, could not be erased again.
    const columns = stream.columns || sizeUnknown.columns
    const rows = stream.rows || sizeUnknown.rows
    const lines = block.slice(0, rows - 1).map((line) => cut(line, columns))
    stream.write(lines.map((line) => `${line}\n`).join(''))
    drawn = lines.length
  }
  return {
    isLive: stream.isTTY,
    line: (text) => {
      erase()
      stream.write(`${text}\n`)
      if (block.length > 0) draw()
    },
    show: (lines) => {
      erase()
      block = lines
      draw()
    },
    settle: () => {
      block = []
      drawn = 0
    },
  }
}

function cut(line: string, columns: number): string {
  return line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`
}
