import { expect, test } from 'vitest'
import { watermarkClock } from '../src/watermark-clock.ts'
import { flight } from './fake-gateway.ts'

const windowMs = 60
const at = (...times: readonly number[]) => times.map((departedMs, row) => flight(row, { departedMs }))
const clock = () => watermarkClock(2, windowMs, { outOfOrdernessMs: 10 })

test('there is no watermark until every lane has posted', () => {
  const { posted, watermarkMs } = clock()
  posted(0, at(500), 1)
  expect(watermarkMs()).toBeUndefined()
  posted(1, at(30), 2)
  expect(watermarkMs()).toBe(20)
})

test('the watermark is that of the slowest lane, and never goes back', () => {
  const { posted, watermarkMs } = clock()
  posted(0, at(500), 1)
  posted(1, at(100, 130, 120), 2)
  expect(watermarkMs()).toBe(120)
  posted(1, at(40), 3)
  expect(watermarkMs()).toBe(120)
})

test('a window’s end is passed by the POST that brings the last lane to it', () => {
  const { posted, passedAtMs } = clock()
  posted(0, at(0), 1)
  posted(1, at(0), 2)
  posted(0, at(200), 3)
  posted(1, at(69), 4)
  expect(passedAtMs(60)).toBeUndefined()
  posted(1, at(70), 5)
  posted(1, at(75), 6)
  expect(passedAtMs(60)).toBe(5)
})

test('a POST may pass several ends', () => {
  const { posted, passedAtMs } = clock()
  posted(0, at(0, 200), 1)
  posted(1, at(0), 2)
  posted(1, at(200), 3)
  expect([60, 120, 180, 240].map(passedAtMs)).toEqual([3, 3, 3, undefined])
})

test('windows that were passed before this run are left out', () => {
  const { posted, passedAtMs } = clock()
  posted(0, at(1_000), 1)
  posted(1, at(1_000), 2)
  expect(passedAtMs(960)).toBeUndefined()
})

test('the oldest windows are forgotten', () => {
  const { posted, passedAtMs } = clock()
  posted(0, at(0, 60 * 600 + 10), 1)
  posted(1, at(0), 2)
  posted(1, at(60 * 600 + 10), 3)
  expect([1, 88, 89, 600].map((window) => passedAtMs(window * windowMs))).toEqual([undefined, undefined, 3, 3])
})
