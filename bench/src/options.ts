import { parseArgs } from 'node:util'
import { MillraceError } from '@millrace/core/errors'

export type Options = {
  /** How often every subject is measured; the table tells medians. */
  readonly rounds: number
  /** How long one measurement goes on. */
  readonly seconds: number
  /** What every subject takes, unmeasured, before the first round: compilers need thousands of calls. */
  readonly warmUpEvents: number
  readonly portBase: number
  /** Where the gateway writes a CPU profile of the whole run; absent: it makes none. */
  readonly profileDirectory: string | undefined
  readonly help: boolean
}

/** Beside an installation with the default ports. */
const portBaseDefault = 19_200
const full = { rounds: 3, seconds: 8, warmUpEvents: 30_000 } as const
const quick = { rounds: 3, seconds: 2, warmUpEvents: 5_000 } as const

export const usage = `npm run bench -- ingest [options]

Measures taking events in, in one run and in turns: the gateway with everything on, Benthos, the same client behind a bare HTTP server, and
the client alone. Starts three brokers, a registry and a gateway of its own; writes a table and a plot to bench/results.

  --quick               measurements of ${quick.seconds} s instead of ${full.seconds} s
  --rounds <n>          how often everything is measured, ${full.rounds} unless said
  --port-base <port>    the first of the 100 ports that are used, ${portBaseDefault} unless said
  --profile <folder>    let the gateway write a CPU profile there
  --help`

/** @throws MillraceError `config.invalid` with a sentence that says how to write it. */
export function optionsOf(argv: readonly string[]): Options {
  const { values, positionals } = parse(argv)
  const [name, ...others] = positionals
  const help = values.help ?? false
  if (!help && (name !== 'ingest' || others.length > 0)) throw invalid(`say what to measure: ingest\n\n${usage}`)
  const lengths = values.quick ? quick : full
  return {
    ...lengths,
    rounds: wholeNumber('--rounds', values.rounds) ?? lengths.rounds,
    portBase: wholeNumber('--port-base', values['port-base']) ?? portBaseDefault,
    profileDirectory: values.profile,
    help,
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        'port-base': { type: 'string' },
        profile: { type: 'string' },
        help: { type: 'boolean' },
      },
    })
  } catch (cause) {
    throw invalid(`${cause instanceof Error ? cause.message : String(cause)}\n\n${usage}`)
  }
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  throw invalid(`${option} "${text}": write a whole number, 1 or more`)
}

function invalid(sentence: string): MillraceError {
  return new MillraceError('config.invalid', sentence)
}
