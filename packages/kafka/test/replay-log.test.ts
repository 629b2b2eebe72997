import { expect, test } from 'vitest'
import { claimMs, createReplayStates } from '../src/replay-log.ts'

type Said = readonly [letter: string, state: string, by: string, atMs: number]

function after(...said: readonly Said[]) {
  const states = createReplayStates()
  for (const [letter, state, by, timestampMs] of said) {
    states.apply({ key: Buffer.from(letter), value: Buffer.from(JSON.stringify({ state, by })), timestampMs })
  }
  return states
}

test('the first claim of a letter is good, whoever else claims it', () => {
  const states = after(['l', 'claimed', 'a', 0], ['l', 'claimed', 'b', claimMs - 1])
  expect(states.find('l')).toMatchObject({ state: 'claimed', by: 'a' })
  expect(states.find('other')).toBeUndefined()
})

test('a claim that came to nothing can be claimed again', () => {
  expect(after(['l', 'claimed', 'a', 0], ['l', 'claimed', 'b', claimMs]).find('l')).toMatchObject({ by: 'b' })
  expect(after(['l', 'claimed', 'a', 0], ['l', 'released', 'a', 1]).find('l')).toBeUndefined()
})

test('a claim is given back only by who has it', () => {
  expect(after(['l', 'claimed', 'a', 0], ['l', 'released', 'b', 1]).find('l')).toMatchObject({ by: 'a' })
})

test('what is done stays done', () => {
  for (const later of ['claimed', 'released']) {
    const states = after(['l', 'claimed', 'a', 0], ['l', 'done', 'a', 1], ['l', later, 'b', 2 * claimMs])
    expect(states.find('l')).toMatchObject({ state: 'done' })
  }
})

test('what cannot be read says nothing', () => {
  const states = createReplayStates()
  for (const value of [null, Buffer.from(''), Buffer.from('{}'), Buffer.from('{"state":"lost","by":"a"}')]) {
    states.apply({ key: Buffer.from('l'), value, timestampMs: 0 })
  }
  expect(states.find('l')).toBeUndefined()
})
