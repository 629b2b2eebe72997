import { expect, test } from 'vitest'
import { parsedWords } from '../src/program.ts'
import { requireRounds } from '../src/soak.ts'

const options = { events: { type: 'string', default: '10000000' }, rate: { type: 'string', default: '100' } } as const
const parsed = (...args: string[]) => parsedWords({ args, options }, 'npm run soak')

test('options are read, and what is none is refused with how the program is called', () => {
  const { values, wholeNumber, rate } = parsed('--rate', '6000')
  expect(rate(values.rate)).toBe(6_000)
  expect(wholeNumber('--events', values.events)).toBe(10_000_000)
  expect(() => parsed('--evnts', '5')).toThrow(/--evnts.*\nnpm run soak/s)
  expect(() => wholeNumber('--events', '1e6')).toThrow('--events is a whole number, 1 or more\nnpm run soak')
  expect(() => rate('99')).toThrow('a drill takes 100 events per second at least')
})

test('a round that would take longer than its topic keeps what it began with is refused', () => {
  expect(() => requireRounds({ eventsPerSecond: 1_000, eventsPerRound: 1_800_000 })).not.toThrow()
  expect(() => requireRounds({ eventsPerSecond: 1_000, eventsPerRound: 1_800_001 })).toThrow(
    'a round takes 1800 s at most: 1800000 events at that rate',
  )
})
