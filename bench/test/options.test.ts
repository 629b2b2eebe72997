import { expect, test } from 'vitest'
import { type IngestOptions, optionsOf } from '../src/options.ts'

test('a short run measures everything, in less time', () => {
  const full = ingestOptionsOf(['ingest'])
  const quick = ingestOptionsOf(['ingest', '--quick'])
  expect(quick.rounds).toBe(full.rounds)
  expect(quick.seconds).toBeLessThan(full.seconds)
})

test.each([
  [[]],
  [['egest']],
  [['ingest', 'more']],
  [['ingest', '--rounds', '0']],
  [['ingest', '--fast']],
  [['ingest', '--confluent', 'somewhere']],
  [['ingest', '--rate', '100']],
  [['clients', '--quick']],
  [['platform', 'more']],
  [['platform', '--rounds', '2']],
  [['platform', '--rate', '0']],
])('%j is refused as usage', (words) => {
  expect(() => optionsOf(words)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
})

test('the rates that are tried are shares of the rate that is asked for, and go beyond it', () => {
  expect(optionsOf(['platform'])).toMatchObject({
    ...{ rate: 10_000, minutes: 10 },
    rates: [500, 1_000, 2_000, 4_000, 6_000, 8_000, 10_000, 12_000],
  })
  expect(optionsOf(['platform', '--quick', '--rate', '3000', '--minutes', '2'])).toMatchObject({
    ...{ rate: 3_000, minutes: 2, rates: [1_500, 3_000] },
  })
})

function ingestOptionsOf(words: readonly string[]): IngestOptions {
  const options = optionsOf(words)
  if (options.name !== 'ingest') throw new TypeError(`${options.name} is another benchmark`)
  return options
}
