import { expect, test } from 'vitest'
import { optionsOf } from '../src/options.ts'

test('a short run measures everything, in less time', () => {
  const full = optionsOf(['ingest'])
  const quick = optionsOf(['ingest', '--quick'])
  expect(quick.rounds).toBe(full.rounds)
  expect(quick.seconds).toBeLessThan(full.seconds)
})

test.each([[[]], [['egest']], [['ingest', 'more']], [['ingest', '--rounds', '0']], [['ingest', '--fast']]])(
  '%j is refused as usage',
  (words) => {
    expect(() => optionsOf(words)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
  },
)
