/** `npm run soak`: events by the million through the ledger, on a platform of its own; results go to `docs/soak`. */
import { parsedWords, runProgram } from './program.ts'
import { runSoak } from './soak.ts'

const usage =
  'npm run soak -- [--events <how many>] [--rate <events per second>] [--round <events>] [--port-base <port>] [--no-keep]'

await runProgram('interrupted, the rounds before are kept', async ({ note, signal }) => {
  const { ok, acknowledged } = await runSoak({ ...optionsOf(process.argv.slice(2)), note, signal })
  process.stdout.write(`${acknowledged} events acknowledged, ${ok ? 'every verdict holds' : 'NOT all is well'}\n`)
  return ok
})

function optionsOf(args: string[]) {
  const { values, wholeNumber, rate } = parsedWords(
    {
      args,
      options: {
        events: { type: 'string', default: '10000000' },
        rate: { type: 'string', default: '6000' },
        round: { type: 'string', default: '300000' },
        'port-base': { type: 'string', default: '24000' },
        'no-keep': { type: 'boolean', default: false },
      },
    },
    usage,
  )
  return {
    events: wholeNumber('--events', values.events),
    eventsPerSecond: rate(values.rate),
    eventsPerRound: wholeNumber('--round', values.round),
    portBase: wholeNumber('--port-base', values['port-base']),
    keep: !values['no-keep'],
  }
}
