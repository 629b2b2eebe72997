/** Which runs there are. */
import type { PlatformOptions } from '../options.ts'
import { judge, type Judged } from './judgement.ts'
import type { Asked } from './measure.ts'
import { searchRates } from './search.ts'

/** First which rates are too much; then for minutes the highest that was found, if that is less than what is asked for, and that. */
export async function runAll(
  { rate, rates, seconds, minutes }: Omit<PlatformOptions, 'portBase'>,
  run: (asked: Asked) => Promise<Judged>,
): Promise<void> {
  const found = await searchRates(
    rates,
    (eventsPerSecond) => run({ phase: 'find', eventsPerSecond, seconds }),
    (tried) => judge(tried).keepsUp,
  )
  // The one that may be too much comes last: it leaves the other no backlog.
  for (const eventsPerSecond of longRatesOf(found, rate)) {
    await run({ phase: 'long', eventsPerSecond, seconds: minutes * 60 })
  }
}

/** The highest that holds, or where none does that is kept up with, comes before the one that is asked for if it is less. */
function longRatesOf(found: readonly Judged[], rate: number): number[] {
  const held = found.filter((one) => judge(one).holds)
  const best = held.length > 0 ? held : found.filter((one) => judge(one).keepsUp)
  const highest = Math.max(0, ...best.map(({ rate: { asked } }) => asked))
  return highest > 0 && highest < rate ? [highest, rate] : [rate]
}
