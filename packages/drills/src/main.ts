/** `npm run drills`: all drills one after the other, or those that are named, on a platform of their own; results go to `docs/drills`. */
import { drillOf, drills } from './drills.ts'
import { parsedWords, runProgram } from './program.ts'
import { runAll } from './run-all.ts'

const usage = `npm run drills -- [<name> …] [--rate <events per second>] [--port-base <port>] [--no-keep]`

await runProgram('interrupted, nothing is kept', async ({ note, signal }) => {
  const { ok, acknowledged } = await runAll({ ...optionsOf(process.argv.slice(2)), note, signal })
  process.stdout.write(
    `${acknowledged} events acknowledged, ${ok ? 'every verdict holds' : 'NOT every verdict holds'}\n`,
  )
  return ok
})

function optionsOf(args: string[]) {
  const { values, positionals, refuse, wholeNumber, rate } = parsedWords(
    {
      args,
      allowPositionals: true,
      options: {
        rate: { type: 'string', default: '1000' },
        'port-base': { type: 'string', default: '23000' },
        'no-keep': { type: 'boolean', default: false },
      },
    },
    usage,
  )
  const chosen = positionals.map((name) => drillOf(name) ?? refuse(`there is no drill "${name}"`))
  return {
    drills: chosen.length > 0 ? chosen : drills,
    eventsPerSecond: rate(values.rate),
    portBase: wholeNumber('--port-base', values['port-base']),
    keep: !values['no-keep'],
  }
}
