import { parseArgs } from 'node:util'
import { MillraceError } from '@millrace/core/errors'

export type IngestOptions = {
  /** How often every subject is measured; the table tells medians. */
  readonly rounds: number
  /** How long one measurement goes on. */
  readonly seconds: number
  /** What every subject takes, unmeasured, before the first round: compilers need thousands of calls. */
  readonly warmUpEvents: number
  readonly portBase: number
  /** Where the gateway writes a CPU profile of the whole run; absent: it makes none. */
  readonly profileDirectory: string | undefined
}

export type ClientsOptions = {
  /** How often every fault befalls the candidates. */
  readonly rounds: number
  /** The names of those that do; none: all. */
  readonly faults: readonly string[]
  readonly portBase: number
  /** Where `@confluentinc/kafka-javascript` is installed; absent: it is not compared. */
  readonly confluentDirectory: string | undefined
}

export type ProcessingOptions = {
  /** How often every side computes everything. */
  readonly rounds: number
  /** The flights that are read each time. */
  readonly events: number
  readonly portBase: number
}

export type PlatformOptions = {
  /** Events per second of the long run. */
  readonly rate: number
  readonly minutes: number
  /** What is tried before it, growing, to find the highest rate that holds. */
  readonly rates: readonly number[]
  /** How long each of these is tried. */
  readonly seconds: number
  readonly portBase: number
}

export type Options =
  | { readonly name: 'help' }
  | ({ readonly name: 'ingest' } & IngestOptions)
  | ({ readonly name: 'clients' } & ClientsOptions)
  | ({ readonly name: 'processing' } & ProcessingOptions)
  | ({ readonly name: 'platform' } & PlatformOptions)

/** Beside an installation with the default ports. */
const portBaseDefault = 19_200
const full = { rounds: 3, seconds: 8, warmUpEvents: 30_000 } as const
const quick = { rounds: 3, seconds: 2, warmUpEvents: 5_000 } as const
const clientRounds = 3
const processing = { rounds: 3, events: 1_000_000 } as const
/** Too few for more than to see that it works. */
const processingQuick = { rounds: 1, events: 50_000 } as const
/** The rates that are tried are shares of the one that is asked for. */
const platform = { rate: 10_000, minutes: 10, seconds: 45, shares: [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.2] } as const
const platformQuick = { rate: 1_000, minutes: 1, seconds: 15, shares: [0.5, 1] } as const

export const usage = `npm run bench -- ingest [options]
npm run bench -- clients [<fault> …] [options]
npm run bench -- processing [options]
npm run bench -- platform [options]

ingest   measures taking events in, in one run and in turns: the gateway with everything on, Benthos, the same client behind a bare HTTP
         server, and the client alone. Starts three brokers, a registry and a gateway of its own.
clients  holds producers for Kafka against a ledger while brokers and the network fail: what each loses, doubles, misplaces and leaves
         unanswered. Starts three brokers of its own.
processing  measures the windows of the platform's pipelines in turns with a Kafka Streams program over the same topic, and holds the results
         of both against each other. Starts three brokers and Flink of its own.
platform  sends flights through everything (gateway, brokers, Flink, Connect, warehouse) at growing rates and then for minutes, with the ledger
         on, in turns with the client alone: rate, lag, latencies, loss, and what bounds them. Starts a whole platform of its own.

All write their tables to bench/results.

  --rounds <n>          how often everything is measured, ${full.rounds} unless said; not of platform
  --rate <events/s>     platform: the rate of the long run, ${platform.rate} unless said
  --minutes <n>         platform: how long it is, ${platform.minutes} unless said
  --port-base <port>    the first of the 100 ports that are used, ${portBaseDefault} unless said
  --quick               ingest: measurements of ${quick.seconds} s instead of ${full.seconds} s;
                        processing: ${processingQuick.rounds} round of ${processingQuick.events} events instead of ${processing.rounds} of ${processing.events};
                        platform: ${platformQuick.rate} events/s for ${platformQuick.minutes} min unless said, and fewer rates before it
  --profile <folder>    ingest: let the gateway write a CPU profile there
  --confluent <folder>  clients: compare @confluentinc/kafka-javascript too, which is installed in that folder (see bench/confluent.md)
  --help`

/** @throws MillraceError `config.invalid` with a sentence that says how to write it. */
export function optionsOf(argv: readonly string[]): Options {
  const { values, positionals } = parse(argv)
  const [name, ...others] = positionals
  if (values.help) return { name: 'help' }
  const rounds = wholeNumber('--rounds', values.rounds)
  const portBase = wholeNumber('--port-base', values['port-base']) ?? portBaseDefault
  const unnamed = { [`"${others[0] ?? ''}"`]: others[0] }
  const ofPlatform = { '--rate': values.rate, '--minutes': values.minutes }
  switch (name) {
    case 'ingest': {
      refuse(name, { ...unnamed, ...ofPlatform, '--confluent': values.confluent })
      const lengths = values.quick ? quick : full
      return { name, ...lengths, rounds: rounds ?? lengths.rounds, portBase, profileDirectory: values.profile }
    }
    case 'clients':
      refuse(name, { ...ofPlatform, '--quick': values.quick, '--profile': values.profile })
      return { name, rounds: rounds ?? clientRounds, faults: others, portBase, confluentDirectory: values.confluent }
    case 'processing': {
      refuse(name, { ...unnamed, ...ofPlatform, '--confluent': values.confluent, '--profile': values.profile })
      const sizes = values.quick ? processingQuick : processing
      return { name, ...sizes, rounds: rounds ?? sizes.rounds, portBase }
    }
    case 'platform':
      refuse(name, {
        ...{ ...unnamed, '--rounds': values.rounds },
        ...{ '--confluent': values.confluent, '--profile': values.profile },
      })
      return { name, ...platformRuns(values), portBase }
    default:
      throw invalid(`say what to measure: ingest, clients, processing or platform\n\n${usage}`)
  }
}

function platformRuns({ quick: isQuick, rate: rateText, minutes: minutesText }: ReturnType<typeof parse>['values']) {
  const { shares, ...lengths } = isQuick ? platformQuick : platform
  const rate = wholeNumber('--rate', rateText) ?? lengths.rate
  const minutes = wholeNumber('--minutes', minutesText) ?? lengths.minutes
  const rates = [...new Set(shares.map((share) => Math.max(1, Math.round(share * rate))))]
  return { rate, minutes, rates, seconds: lengths.seconds }
}

function refuse(name: string, others: Readonly<Record<string, unknown>>): void {
  const given = Object.keys(others).find((option) => others[option] !== undefined)
  if (given !== undefined) throw invalid(`${name} does not know ${given}\n\n${usage}`)
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
        rate: { type: 'string' },
        minutes: { type: 'string' },
        profile: { type: 'string' },
        confluent: { type: 'string' },
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
