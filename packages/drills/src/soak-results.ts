/** What soaks found, as it is kept in `docs/soak`, and the page that says it. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'

const roundShape = z.object({
  at: z.string(),
  seed: z.int(),
  ok: z.boolean(),
  /** Of the whole round, faults and all. */
  eventsPerSecond: z.number(),
  acknowledged: z.int(),
  unconfirmed: z.int(),
  refused: z.int(),
  copies: z.int(),
  faults: z.array(z.string()),
  /** Names of the checks that do not hold. */
  broken: z.array(z.string()),
})
/** A round that broke off has no verdict: it says why. */
const withoutVerdict = z.object({ at: z.string(), faults: z.array(z.string()), why: z.string() })
const soakShape = z.object({
  at: z.string(),
  machine: z.object({ cores: z.int(), model: z.string(), node: z.string() }),
  eventsPerSecondAsked: z.number(),
  rounds: z.array(z.union([roundShape, withoutVerdict])),
})

export type SoakResults = z.infer<typeof soakShape>
export type SoakRoundResult = SoakResults['rounds'][number]

/** The results of all soaks that are kept in a folder, the newest last. */
export async function readSoaks(directory: string): Promise<SoakResults[]> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.json')).sort()
  return Promise.all(
    names.map(async (name) => soakShape.parse(JSON.parse(await readFile(join(directory, name), 'utf8')))),
  )
}

/** How many events were acknowledged in rounds that have a verdict. */
export function acknowledgedIn(rounds: readonly SoakRoundResult[]): number {
  return sum(rounds, 'acknowledged')
}

/** Whether every round has a verdict, and that holds. */
export function everyRoundHolds(rounds: readonly SoakRoundResult[]): boolean {
  return rounds.every((round) => 'ok' in round && round.ok)
}

const intro = [
  '# Soak',
  '',
  '`npm run soak` sends events for hours to a platform of three brokers and three gateways in which one thing after another goes wrong: in',
  'rounds, each to an event type of its own, with faults out of the [drills](drills.md) one after the other as a seed decides. After each',
  'round its ledger of all that was sent and answered is held against what Kafka’s own consumer finds in the topic, which is then deleted.',
]

/** The page `docs/soak.md`: a line for each soak, and how many events were acknowledged in all of them. */
export function soakPageOf(soaks: readonly SoakResults[]): string {
  if (soaks.length === 0) return `${[...intro, '', 'No run is kept yet.'].join('\n')}\n`
  const rounds = soaks.flatMap((soak) => soak.rounds)
  const broken = rounds.filter((round) => !everyRoundHolds([round])).length
  const lines = [
    ...intro,
    '',
    `In the runs that are kept ${acknowledgedIn(rounds).toLocaleString('en')} events were acknowledged in ${rounds.length} rounds;`,
    broken === 0 ? 'every verdict holds.' : `${broken} rounds have no verdict, or one that does not hold.`,
    '',
    '| run | machine | rounds | faults | events/s asked | events/s, faults and all | acknowledged | left unconfirmed | copies | verdicts |',
    '| --- | --- | --: | --: | --: | --: | --: | --: | --: | --- |',
    ...soaks.map((soak) => `| ${cellsOf(soak).join(' | ')} |`),
    '',
    '_Copies_ are records beyond the first of an event whose answer was lost: they are identical, in the same partition, and recognised by',
    '`source` and `id`. _Left unconfirmed_ are events that were sent again and again for a minute and never answered with their place: each is',
    'there or not.',
  ]
  return `${lines.join('\n')}\n`
}

function cellsOf({ at, machine, eventsPerSecondAsked, rounds }: SoakResults): string[] {
  const rates = rounds.flatMap((round) => ('ok' in round ? [round.eventsPerSecond] : []))
  return [
    at.slice(0, 16).replace('T', ' '),
    `${machine.cores} cores (${machine.model}), Node ${machine.node}`,
    String(rounds.length),
    String(rounds.flatMap(({ faults }) => faults).length),
    String(eventsPerSecondAsked),
    [...new Set(rates.length === 0 ? [] : [Math.min(...rates), Math.max(...rates)])].join(' to '),
    acknowledgedIn(rounds).toLocaleString('en'),
    sum(rounds, 'unconfirmed').toLocaleString('en'),
    sum(rounds, 'copies').toLocaleString('en'),
    everyRoundHolds(rounds) ? 'all hold' : '**not all hold**',
  ]
}

function sum(rounds: readonly SoakRoundResult[], of: 'acknowledged' | 'unconfirmed' | 'copies'): number {
  return rounds.reduce((total, round) => total + ('ok' in round ? round[of] : 0), 0)
}
