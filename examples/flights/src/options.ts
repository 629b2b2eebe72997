import { parseArgs } from 'node:util'
import { MillraceError } from '@millrace/core/errors'
import type { FlinkForm } from '@millrace/stack/flink-checkpoints'
import { portBaseDefault, taskManagersMax } from '@millrace/stack/ports'
import { replayDefaults } from './replay.ts'

/** How the main job is run. */
export type Options = {
  /** How long the replay goes on before it is judged; absent: until Ctrl-C, without a verdict. */
  readonly forMs: number | undefined
  /** Events per second; absent: as fast as they are acknowledged. */
  readonly eventsPerSecond: number | undefined
  /** Print the summary as JSON. */
  readonly json: boolean
  readonly help: boolean
  /** Run the pipeline whose results are loaded, and no other. */
  readonly alone: boolean
  readonly portBase: number
  readonly flink: FlinkForm
  /** Of Flink's cluster; absent: as many as it has by itself. */
  readonly taskManagers: number | undefined
  readonly stateDirectory: string | undefined
}

export const usage = `npm start [-- options]

Starts the whole platform on this machine and replays three million flights through it until Ctrl-C.

  --for <duration>    end after so long (as in 60s, 5m), check that nothing was lost, and exit with 1 if anything was
  --json              print the summary as JSON on standard output
  --rate <events/s>   how fast to replay, 500 a core up to 10000 unless said; 0: as fast as events are acknowledged
  --alone             run the pipeline whose results are loaded and none of the others, for small machines
  --flink <form>      embedded (one process, unless said) or cluster (a process for each part of Flink)
  --task-managers <n> how many TaskManagers in the cluster, 2 unless said
  --port-base <port>  the first of the 100 ports that are used, ${portBaseDefault} unless said
  --state <folder>    where secrets, data and logs are kept, .millrace unless said
  --help`

/** @throws MillraceError `config.invalid` with a sentence that says how to write it. */
export function optionsOf(argv: readonly string[]): Options {
  const values = parse(argv)
  return {
    forMs: values.for === undefined ? undefined : durationMs(values.for),
    eventsPerSecond: rateOf(values.rate),
    json: values.json ?? false,
    help: values.help ?? false,
    alone: values.alone ?? false,
    portBase: portOf(values['port-base']),
    flink: flinkOf(values.flink),
    taskManagers: taskManagersOf(values['task-managers']),
    stateDirectory: values.state,
  }
}

function parse(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        for: { type: 'string' },
        rate: { type: 'string' },
        'port-base': { type: 'string' },
        flink: { type: 'string' },
        'task-managers': { type: 'string' },
        state: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
        alone: { type: 'boolean' },
      },
    })
    return values
  } catch (cause) {
    throw new MillraceError('config.invalid', `${cause instanceof Error ? cause.message : String(cause)}\n\n${usage}`, {
      cause,
    })
  }
}

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }
/** The longest that a timer of Node.js waits; a longer one would end at once. */
const durationMsMax = 2 ** 31 - 1

function durationMs(text: string): number {
  const [, count, unit = ''] = /^([1-9]\d*)(s|m|h)$/.exec(text) ?? []
  const unitMs = unitsMs[unit]
  if (unitMs === undefined) {
    throw new MillraceError('config.invalid', `"${text}" is not a duration: write it as in 60s or 5m`)
  }
  const duration = Number(count) * unitMs
  if (duration <= durationMsMax) return duration
  const hoursMax = Math.floor(durationMsMax / 3_600_000)
  throw new MillraceError(
    'config.invalid',
    `"${text}" is too long: write at most ${hoursMax}h, or leave --for out to replay until Ctrl-C`,
  )
}

function rateOf(text: string | undefined): number | undefined {
  if (text === undefined) return replayDefaults.eventsPerSecond
  const rate = Number(text)
  if (text.trim() === '' || !(rate >= 0) || !Number.isFinite(rate)) {
    throw new MillraceError('config.invalid', `"${text}" is not a rate: write events per second, or 0 for no limit`)
  }
  return rate === 0 ? undefined : rate
}

function flinkOf(text = 'embedded'): FlinkForm {
  if (text === 'embedded' || text === 'cluster') return text
  throw new MillraceError('config.invalid', `"${text}" is no form of Flink: write embedded or cluster`)
}

function taskManagersOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= taskManagersMax) return count
  throw new MillraceError(
    'config.invalid',
    `"${text}" is no number of TaskManagers: write one from 1 to ${taskManagersMax}`,
  )
}

const portMax = 65_535
const portsUsed = 100

function portOf(text: string | undefined): number {
  const port = text === undefined ? portBaseDefault : Number(text)
  if (Number.isInteger(port) && port >= 1_024 && port + portsUsed <= portMax) return port
  throw new MillraceError(
    'config.invalid',
    `"${text ?? ''}" is no first port: write a number from 1024 to ${portMax - portsUsed}`,
  )
}
