/** `npm run drills`: all drills one after the other, or those that are named, on a platform of their own; results go to `docs/drills`. */
import { parseArgs } from 'node:util'
import { MillraceError } from '@millrace/core/errors'
import { drillOf, drills } from './drills.ts'
import { requireRate } from './keyed-load.ts'
import { runAll } from './run-all.ts'

const usage = `npm run drills -- [<name> …] [--rate <events per second>] [--port-base <port>] [--no-keep]`

const say = (line: string): void => void process.stderr.write(`${line}\n`)
const stopping = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => stopping.abort(new MillraceError('stack.failed', 'interrupted: nothing is kept')))
}

try {
  const { ok, acknowledged } = await runAll({ ...optionsOf(process.argv.slice(2)), note: say, signal: stopping.signal })
  process.stdout.write(
    `${acknowledged} events acknowledged, ${ok ? 'every verdict holds' : 'NOT every verdict holds'}\n`,
  )
  process.exitCode = ok ? 0 : 1
} catch (error) {
  if (!(error instanceof MillraceError)) throw error
  say(error.message)
  process.exitCode = error.code === 'config.invalid' ? 2 : 1
}

function optionsOf(words: string[]) {
  const { values, positionals } = parsed(words)
  const chosen = positionals.map((name) => drillOf(name) ?? refuse(`there is no drill "${name}"`))
  return {
    drills: chosen.length > 0 ? chosen : drills,
    eventsPerSecond: rateOf(values.rate),
    portBase: wholeNumber('--port-base', values['port-base']),
    keep: !values['no-keep'],
  }
}

function parsed(words: string[]) {
  try {
    return parseArgs({
      args: words,
      allowPositionals: true,
      options: {
        rate: { type: 'string', default: '1000' },
        'port-base': { type: 'string', default: '23000' },
        'no-keep': { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function rateOf(text: string): number {
  const rate = wholeNumber('--rate', text)
  requireRate(rate)
  return rate
}

function wholeNumber(option: string, text: string): number {
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : refuse(`${option} is a whole number, 1 or more`)
}

function refuse(sentence: string): never {
  throw new MillraceError('config.invalid', `${sentence}\n${usage}`)
}
