import { expect, test } from 'vitest'
import { watermarkClock } from '../src/watermark-clock.ts'
import { flight } from './fake-gateway.ts'

const windowMs = 60
const at = (...times: readonly number[]) => times.map((departedMs, row) => flight(row, { departedMs }))
const clock = () => watermarkClock(2, windowMs, { outOfOrdernessMs: 10 })

test('there is no watermark until every lane has posted', () => {
  const seen = clock()
  seen.posted(0, at(500), 1)
  expect(seen.watermarkMs()).toBeUndefined()
  seen.posted(1, at(30), 2)
  expect(seen.watermarkMs()).toBe(20)
})

test('the watermark is that of the slowest lane, and never goes back', () => {
  const seen = clock()
  seen.posted(0, at(500), 1)
  seen.posted(1, at(100, 130, 120), 2)
  expect(seen.watermarkMs()).toBe(120)
  seen.posted(1, at(40), 3)
  expect(seen.watermarkMs()).toBe(120)
})

test('a window’s end is passed by the POST that brings the last lane to it', () => {
  const seen = clock()
  seen.posted(0, at(0), 1)
  seen.posted(1, at(0), 2)
  seen.posted(0, at(200), 3)
  seen.posted(1, at(69), 4)
  expect(seen.passedAtMs(60)).toBeUndefined()
  seen.posted(1, at(70), 5)
  seen.posted(1, at(75), 6)
  expect(seen.passedAtMs(60)).toBe(5)
})

test('a POST may pass several ends', () => {
  const seen = clock()
  seen.posted(0, at(0, 200), 1)
  seen.posted(1, at(0), 2)
  seen.posted(1, at(200), 3)
  expect([60, 120, 180, 240].map((end) => seen.passedAtMs(end))).toEqual([3, 3, 3, undefined])
})

test('windows that were passed before this run are left out', () => {
  const seen = clock()
  seen.posted(0, at(1_000), 1)
  seen.posted(1, at(1_000), 2)
  expect(seen.passedAtMs(960)).toBeUndefined()
})

test('the oldest windows are forgotten', () => {
  const seen = clock()
  seen.posted(0, at(0, 60 * 600 + 10), 1)
  seen.posted(1, at(0), 2)
  seen.posted(1, at(60 * 600 + 10), 3)
  expect([1, 88, 89, 600].map((window) => seen.passedAtMs(window * windowMs))).toEqual([undefined, undefined, 3, 3])
})
