import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { openTerminal } from '../src/terminal.ts'

/** A terminal, and what was written to it since it was asked last. */
function terminalOf({ isTTY = true, columns = 40, rows = 10 }) {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns, rows })
  return { terminal: openTerminal(stream), stream, written: () => String(stream.read() ?? '') }
}

/** The cursor goes up so many lines, and all below is cleared. */
const erased = (lines: number): string => `\u001b[${lines}A\u001b[0J`

describe('a block', () => {
  test('is drawn in the place of the last one', () => {
    const { terminal, written } = terminalOf({})
    terminal.show(['one', 'two', 'three'])
    expect(written()).toBe('one\ntwo\nthree\n')
    terminal.show(['four'])
    expect(written()).toBe(`${erased(3)}four\n`)
    terminal.show(['five', 'six'])
    expect(written()).toBe(`${erased(1)}five\nsix\n`)
  })

  test('stays below the lines that are written', () => {
    const { terminal, written } = terminalOf({})
    terminal.show(['one', 'two'])
    written()
    terminal.line('said')
    expect(written()).toBe(`${erased(2)}said\none\ntwo\n`)
    terminal.show(['three'])
    expect(written()).toBe(`${erased(2)}three\n`)
  })

  test('is left as it is once it has settled', () => {
    const { terminal, written } = terminalOf({})
    terminal.show(['one', 'two'])
    terminal.settle()
    written()
    terminal.line('said')
    terminal.show(['three'])
    expect(written()).toBe('said\nthree\n')
  })

  test('never wraps, for a line that does could not be erased', () => {
    const { terminal, written } = terminalOf({ columns: 10 })
    terminal.show(['123456789', '1234567890', '12345678901'])
    expect(written()).toBe('123456789\n12345678…\n12345678…\n')
  })

  test('never scrolls, and what is erased is what was drawn', () => {
    const { terminal, written } = terminalOf({ rows: 3 })
    terminal.show(['one', 'two', 'three', 'four'])
    expect(written()).toBe('one\ntwo\n')
    terminal.show(['five'])
    expect(written()).toBe(`${erased(2)}five\n`)
  })

  test('has the size that the terminal has when it is drawn', () => {
    const { terminal, stream, written } = terminalOf({ rows: 2 })
    terminal.show(['one', 'two'])
    stream.rows = 10
    terminal.show(['one', 'two'])
    expect(written()).toBe(`one\n${erased(1)}one\ntwo\n`)
  })
})

test('a terminal that does not know its size is taken for one of 80 × 24', () => {
  const { terminal, written } = terminalOf({ columns: 0, rows: 0 })
  terminal.show(Array.from({ length: 30 }, () => 'x'.repeat(100)))
  expect(written()).toBe(`${'x'.repeat(78)}…\n`.repeat(23))
})

test('lines are written whole, one below the other', () => {
  const { terminal, written } = terminalOf({ columns: 10 })
  terminal.line('longer than the terminal is wide')
  terminal.line('said')
  expect(written()).toBe('longer than the terminal is wide\nsaid\n')
})

test.each([true, false])('blocks can be shown where the stream is a terminal: %s', (isTTY) => {
  expect(terminalOf({ isTTY }).terminal.isLive).toBe(isTTY)
})
