/**
 * Holds Flink against the evaluator for longer than the tests do: `npm run differential -- --jobs 50`, 20 pipelines a job, from a seed by chance
 * or the one that `--seed` gives. Ends with 1 when a pipeline has other results, whose seed and number it says.
 */
import { randomInt } from 'node:crypto'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { madeInFlink, madeInMemory } from './compare.ts'
import { openFlink } from './flink-runs.ts'
import { casesOf } from './generate.ts'

const casesPerJob = 20

const { values: options } = parseArgs({
  options: { jobs: { type: 'string', default: '10' }, seed: { type: 'string' } },
})
const firstSeed = options.seed === undefined ? randomInt(2 ** 31 - 1) : Number(options.seed)
const jobs = Number(options.jobs)
if (!Number.isSafeInteger(firstSeed) || !Number.isSafeInteger(jobs) || jobs < 1)
  throw new RangeError('--jobs and --seed take whole numbers')

const flink = await openFlink()
let different = 0
try {
  for (let seed = firstSeed; seed < firstSeed + jobs; seed += 1) {
    const cases = casesOf(seed, casesPerJob)
    const runs = await flink.run(cases)
    const others = cases.flatMap((one, index) => {
      const run = runs[index]
      return run && isDeepStrictEqual(madeInFlink(one, run), madeInMemory(one)) ? [] : [index]
    })
    different += others.length
    console.log(
      `seed ${seed}: ${cases.length - others.length} equal${others.map((index) => `, ${index} is not`).join('')}`,
    )
  }
} finally {
  await flink.close()
}
console.log(`${jobs * casesPerJob} pipelines, ${different} with other results in Flink than in memory`)
if (different > 0) process.exitCode = 1
