/** What a run of all drills found, as it is kept in `docs/drills`, and the page that says it. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'

const reportShape = z.object({
  drill: z.string(),
  says: z.string(),
  at: z.string(),
  tookSeconds: z.int(),
  seed: z.int(),
  ok: z.boolean(),
  eventsPerSecondAsked: z.number(),
  eventsPerSecond: z.number(),
  acknowledged: z.int(),
  unconfirmed: z.int(),
  refused: z.int(),
  copies: z.int(),
  faultSeconds: z.number(),
  recoverySeconds: z.number().nullable(),
  settledSeconds: z.number().nullable(),
  failOverSeconds: z.number().nullable().default(null),
  recoverySecondsMax: z.number().nullable(),
  isWithinBound: z.boolean().nullable(),
  recoveryBound: z.string(),
})
/** A drill that was not run, or broke off, has no verdict: it says why. */
const withoutVerdict = z.object({ drill: z.string(), says: z.string(), why: z.string() })
const resultsShape = z.object({
  at: z.string(),
  machine: z.object({ cores: z.int(), model: z.string(), node: z.string() }),
  drills: z.array(z.union([reportShape, withoutVerdict])),
})

export type DrillResults = z.infer<typeof resultsShape>
type Result = DrillResults['drills'][number]

/** The results of all runs that are kept in a folder, the newest last. */
export async function readResults(directory: string): Promise<DrillResults[]> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.json')).sort()
  return Promise.all(
    names.map(async (name) => resultsShape.parse(JSON.parse(await readFile(join(directory, name), 'utf8')))),
  )
}

/** The page `docs/drills.md`: each drill as it was last run, and how many events were acknowledged in all runs. */
export function pageOf(runs: readonly DrillResults[]): string {
  return `${[...intro, '', ...(runs.at(-1) ? tableOf(runs) : ['No run is kept yet.'])].join('\n')}\n`
}

const intro = [
  '# Drills',
  '',
  '`npm run drills` starts a platform of three brokers and three gateways, makes one thing after another go wrong in it under load, holds a',
  'ledger of all that was sent and answered against what Kafka’s own consumer finds in the topic, and writes this page and its numbers, in',
  '`docs/drills`. `npx millrace drill <name>` does one of them on a platform that runs.',
]

function tableOf(runs: readonly DrillResults[]): string[] {
  const newest = runs.at(-1)
  if (!newest) return []
  const { at, machine } = newest
  const last = new Map(runs.flatMap((run) => run.drills.map((result) => [result.drill, result])))
  const total = runs.flatMap((run) => run.drills).reduce((sum, result) => sum + acknowledgedIn(result), 0)
  const lost = runs.flatMap((run) => run.drills).filter((result) => 'ok' in result && !result.ok).length
  return [
    `Each drill as it was last run, ${at.slice(0, 10)}, on ${machine.cores} cores (${machine.model}), Node ${machine.node}. In the ${runs.length === 1 ? 'one run' : `${runs.length} runs`} that`,
    `${runs.length === 1 ? 'is' : 'are'} kept ${total.toLocaleString('en')} events were acknowledged; ${lost === 0 ? 'every verdict holds' : `${lost} verdicts do not hold`}.`,
    '',
    '| drill | what goes wrong | verdict | events/s | acknowledged | copies | fault, s | others lead after, s | calm again after, s | promised, s | kept | calm for good after, s | what bounds it | all of it, s |',
    '| --- | --- | --- | --: | --: | --: | --: | --: | --: | --: | --- | --: | --- | --: |',
    ...[...last.values()].map((result) => `| ${cellsOf(result).join(' | ')} |`),
    '',
    '_Copies_ are records beyond the first of an event whose answer was lost: they are identical, in the same partition, and recognised by',
    '`source` and `id`. _Calm_ is a half second whose 95th percentile is at most twice that before the fault, or 100 ms more. _Calm again_ is from',
    'when four of them are on end, _for good_ from when all are, with leaderships that move back later and what else the machine has to do. Both',
    'count from when the fault is over, and where a process was killed from the kill. What is _promised_ is 3 s after a fault of the network, and',
    '2 s after _others lead_ what a lost broker led, from when half seconds are counted anew; whether that is _kept_ depends on the machine too, and',
    'is no part of the verdict. _All of it_ is a drill from its beginning until it has its verdict.',
  ]
}

function acknowledgedIn(result: Result): number {
  return 'acknowledged' in result ? result.acknowledged : 0
}

function cellsOf(result: Result): string[] {
  if ('why' in result) return [`\`${result.drill}\``, result.says, result.why, ...Array.from({ length: 11 }, () => '')]
  return [
    `\`${result.drill}\``,
    result.says,
    result.ok ? 'holds' : '**does not hold**',
    String(result.eventsPerSecond),
    result.acknowledged.toLocaleString('en'),
    String(result.copies),
    result.faultSeconds.toFixed(1),
    result.failOverSeconds === null ? '' : secondsIn(result.failOverSeconds),
    secondsIn(result.recoverySeconds),
    result.recoverySecondsMax === null ? '' : secondsIn(result.recoverySecondsMax),
    result.isWithinBound === null ? '' : result.isWithinBound ? 'yes' : '**no**',
    secondsIn(result.settledSeconds),
    result.recoveryBound,
    String(result.tookSeconds),
  ]
}

function secondsIn(seconds: number | null): string {
  return seconds === null ? 'not in time' : seconds.toFixed(1)
}
