import { expect, test } from 'vitest'
import { watchMovement } from '../src/outlet.ts'

function connection() {
  const state = { written: 0, waiting: 0 }
  const isMoving = watchMovement(
    () => state.written,
    () => state.waiting,
  )
  return { state, isMoving }
}

test('a connection moves while nothing waits, or some of it leaves, however much comes after it', () => {
  const { state, isMoving } = connection()
  expect(isMoving()).toBe(true)
  Object.assign(state, { written: 100, waiting: 100 })
  expect(isMoving()).toBe(true)
  Object.assign(state, { written: 300, waiting: 299 })
  expect(isMoving()).toBe(true)
  Object.assign(state, { waiting: 0 })
  expect(isMoving()).toBe(true)
})

test('a connection does not move when what waited waits still, though more is written', () => {
  const { state, isMoving } = connection()
  Object.assign(state, { written: 100, waiting: 50 })
  isMoving()
  Object.assign(state, { written: 200, waiting: 150 })
  expect(isMoving()).toBe(false)
})
