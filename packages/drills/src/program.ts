/** What the programs of this package have in common: what they are told in words, how they end, and by what they are stopped. */
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { MillraceError } from '@millrace/core/errors'
import { requireRate } from './keyed-load.ts'

export type Program = {
  /** Everything that is no result goes to standard error. */
  readonly note: (line: string) => void
  /** Aborted when the program is told to stop. */
  readonly signal: AbortSignal
}

/**
 * Runs a program whose exit code is 0 when `run` says that all is well, 2 where it was called wrongly, and 1 else.
 * @param interrupted what it says, behind the signal's name, when it is told to stop
 */
export async function runProgram(interrupted: string, run: (program: Program) => Promise<boolean>): Promise<void> {
  const note = (line: string): void => void process.stderr.write(`${line}\n`)
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => stopping.abort(new MillraceError('stack.failed', `${name}: ${interrupted}`)))
  }
  try {
    process.exitCode = (await run({ note, signal: stopping.signal })) ? 0 : 1
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    note(error.message)
    process.exitCode = error.code === 'config.invalid' ? 2 : 1
  }
}

/** Reads options and names. `refuse` throws what says how the program is called. */
export function parsedWords<T extends ParseArgsConfig>(config: T, usage: string) {
  const refuse = (sentence: string): never => {
    throw new MillraceError('config.invalid', `${sentence}\n${usage}`)
  }
  const wholeNumber = (option: string, text: string): number =>
    /^[1-9]\d{0,8}$/.test(text) ? Number(text) : refuse(`${option} is a whole number, 1 or more`)
  const rate = (text: string): number => {
    const eventsPerSecond = wholeNumber('--rate', text)
    requireRate(eventsPerSecond)
    return eventsPerSecond
  }
  try {
    return { ...parseArgs(config), refuse, wholeNumber, rate }
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}
