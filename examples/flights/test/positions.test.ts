import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPositions } from '../src/positions.ts'
import { flight } from './fake-gateway.ts'
import { temporaryDirectory } from './world.ts'

const newFile = (): string => join(temporaryDirectory(), 'positions')

test('without a file every lane starts at the beginning', () => {
  expect(openPositions(newFile(), 2).current).toEqual([undefined, undefined])
})

test('a further run has the positions of the last', () => {
  const file = newFile()
  const positions = openPositions(file, 3)
  positions.advance(1, flight(4, { reportedMs: 10 }))
  positions.advance(1, flight(5, { reportedMs: 20 }))
  positions.advance(2, flight(6, { reportedMs: 30 }))
  const expected = [undefined, { reportedMs: 20, row: 5 }, { reportedMs: 30, row: 6 }]
  expect(positions.current).toEqual(expected)
  expect(openPositions(file, 3).current).toEqual(expected)
})

test.each([1, 3])('with %i lanes instead of 2 every lane starts at the beginning', (lanes) => {
  const file = newFile()
  const positions = openPositions(file, 2)
  positions.advance(0, flight(4))
  positions.advance(1, flight(5))
  expect(openPositions(file, lanes).current).toEqual(Array.from({ length: lanes }, () => undefined))
})

test('a file that is replaced whole leaves nothing beside it', () => {
  const file = newFile()
  openPositions(file, 1).advance(0, flight(4))
  expect(readdirSync(join(file, '..'))).toEqual(['positions'])
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test.each(['{}', '[{"reportedMs":"1","row":2}, 7]', '[null, null]'])('%s has no positions', (text) => {
  const file = newFile()
  writeFileSync(file, text)
  expect(openPositions(file, 2).current).toEqual([undefined, undefined])
})
