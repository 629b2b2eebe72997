import { expect, test } from 'vitest'
import { Settled } from '../src/settled.ts'

const told = (...looks: readonly (number | null)[]) => {
  const settled = new Settled()
  return looks.map((found) => settled.look(found))
}

test('a difference is told once it was there for five looks, and as the least that it was', () => {
  expect(told(3, 0, 5, 5, 7, 6, 5, 5, 0)).toEqual([0, 0, 0, 0, 0, 0, 5, 5, 0])
  expect(told(3, 3, 3, 3, 3)).toEqual([0, 0, 0, 0, 3])
})

test('one that is here and there in both directions is none', () => {
  expect(told(2, -2, 2, -2, 2, -2)).toEqual([0, 0, 0, 0, 0, 0])
})

test('less than nothing is told too', () => {
  expect(told(-3, -3, -2, -3, -3).at(-1)).toBe(-2)
})

test('what cannot be known for a while leaves what was, and for five looks nothing', () => {
  expect(told(null, null)).toEqual([null, null])
  expect(told(3, 3, 3, 3, 3, null, null, null, null, null, null).slice(4)).toEqual([3, 3, 3, 3, 3, null, null])
})
