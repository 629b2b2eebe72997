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
  [['clients', '--quick']],
])('%j is refused as usage', (words) => {
  expect(() => optionsOf(words)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
})

function ingestOptionsOf(words: readonly string[]): IngestOptions {
  const options = optionsOf(words)
  if (options.name !== 'ingest') throw new TypeError(`${options.name} is another benchmark`)
  return options
}
