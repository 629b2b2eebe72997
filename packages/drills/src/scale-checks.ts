/** What has to hold where workers are added and taken away, over `effects` of `effect-checks.ts`. */
import type { Check } from '@millrace/ledger/check'

/** Events per second that were handled by so many workers. */
export type HandledPerSecond = { readonly one: number; readonly four: number; readonly two: number }

/** Where there are fewer cores than workers, four of them do not four times as much. */
const growthMin = 1.5
/** Who keeps up with more of the load than this may have had no more to do. */
const busyShareMax = 0.9

/** @param pids of all workers that there were */
export function scaleChecks(
  { one, four, two }: HandledPerSecond,
  eventsPerSecond: number,
  pids: readonly number[],
): readonly Check[] {
  return [
    {
      name: 'throughput-follows-the-workers',
      says: `handled were ${one} events/s by one worker, ${four} by four, ${two} by two: four do more than one, which cannot keep up`,
      compared: `SELECT ${one + four + two}`,
      differing: `
        SELECT ${one} AS one, ${four} AS four
        WHERE ${four} < ${growthMin} * ${one} OR ${one} > ${busyShareMax} * ${eventsPerSecond}`,
      needsSome: true,
    },
    {
      name: 'every-worker-has-some',
      says: 'every worker has handled some events',
      compared: `SELECT ${pids.length}`,
      differing: `
        SELECT pid FROM (VALUES ${pids.map((pid) => `('${pid}')`).join()}) AS workers (pid)
        WHERE pid NOT IN (SELECT worker FROM effects WHERE worker IS NOT NULL)`,
      needsSome: true,
    },
    {
      name: 'every-partition-moves',
      says: 'the events of every partition were handled by one worker, and later by another',
      compared: 'SELECT count(DISTINCT partition) FROM effects',
      differing: 'SELECT partition FROM effects GROUP BY partition HAVING count(DISTINCT worker) < 2',
      needsSome: true,
    },
  ]
}
