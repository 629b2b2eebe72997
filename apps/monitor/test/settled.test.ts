import { expect, test } from 'vitest'
import { Settled } from '../src/settled.ts'

test('a difference is told once it stays', () => {
  const settled = new Settled()
  const looks = [0, 3, 0, 5, 5, 7, 6, 5, 0].map((found) => settled.look(found))
  expect(looks).toEqual([0, 0, 0, 0, 0, 0, 0, 5, 0])
})

test('one that is here and there in both directions is none', () => {
  const settled = new Settled()
  expect([2, -2, 2].map((found) => settled.look(found))).toEqual([2, 0, 0])
})

test('less than nothing is told too, and what cannot be known leaves what was', () => {
  const settled = new Settled()
  expect([null, -3, null, -2].map((found) => settled.look(found))).toEqual([null, -3, -3, -2])
})
