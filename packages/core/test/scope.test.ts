import { expect, test } from 'vitest'
import { parseScope, patternCovers } from '../src/scope.ts'

test.each([
  '',
  'admin',
  'events:write',
  'events:write:',
  'events:write:a*b',
  'EVENTS:WRITE:a',
  'events:write:a b',
  'events:write:a/b',
  'metrics:read:x',
])('the scope "%s" grants nothing', (scope) => {
  expect(parseScope(scope)).toBeUndefined()
})

test('a scope with a pattern grants its action for what the pattern covers', () => {
  expect(parseScope('events:write:order.*')).toEqual({ action: 'events:write', pattern: 'order.*' })
  expect(patternCovers('order.*', 'order.placed')).toBe(true)
  expect(patternCovers('order.*', 'orders')).toBe(false)
  expect(patternCovers('order', 'order.placed')).toBe(false)
  expect(patternCovers('*', 'anything')).toBe(true)
})

test.each(['com.example.Order*', 'order_placed.v1', 'Order-Placed', '*'])('%s is a pattern', (pattern) => {
  expect(parseScope(`events:read:${pattern}`)).toEqual({ action: 'events:read', pattern })
})

test.each(['order.placed', 'Order.Placed', 'order-Placed', 'order_Placed'])(
  '%s is not what Order_Placed covers',
  (type) => {
    expect(patternCovers('Order_Placed', type)).toBe(false)
    expect(patternCovers('Order_*', type)).toBe(false)
  },
)
