import type { JsonObject } from '@millrace/core/json'
import { describe, expect, test } from 'vitest'
import { parseFilter } from '../src/filter.ts'

const event: JsonObject = {
  specversion: '1.0',
  id: 'a',
  source: '/shop',
  type: 'order.placed',
  tenant: 'blue',
  data: {
    customer: 'ada',
    amount: 5,
    paid: true,
    note: null,
    at: '2030-01-01T00:00:00Z',
    items: [{ 'a/b': 1 }],
    'x:y': 'z',
    big: '9007199254740993',
  },
}

function matches(query: Parameters<typeof parseFilter>[0]): boolean {
  const parsed = parseFilter(query)
  if (!parsed.ok) throw new Error(parsed.detail)
  return parsed.filter?.(event) ?? true
}

describe('a filter', () => {
  test('that names nothing is none', () => {
    expect(parseFilter({})).toEqual({ ok: true, filter: undefined })
  })

  test('compares attributes, extensions too', () => {
    expect(matches({ type: 'order.placed' })).toBe(true)
    expect(matches({ tenant: 'blue' })).toBe(true)
    expect(matches({ tenant: 'red' })).toBe(false)
    expect(matches({ subject: 'x' })).toBe(false)
    expect(matches({ tostring: 'x' })).toBe(false)
  })

  test.each([
    ['/customer:ada', true],
    ['/customer:Ada', false],
    ['/amount:5', true],
    ['/amount:5.0', true],
    ['/amount:6', false],
    ['/paid:true', true],
    ['/note:null', true],
    ['/at:2030-01-01T00:00:00Z', true],
    ['/items/0/a~1b:1', true],
    ['/items:1', false],
    ['/x%3Ay:z', true],
    ['/big:9007199254740993', true],
    ['/missing:1', false],
    ['/missing:undefined', false],
    ['/constructor/name:Object', false],
    ['/customer:', false],
  ])('compares what a pointer names in the data: %s → %s', (where, expected) => {
    expect(matches({ where })).toBe(expected)
  })

  test('holds when all its conditions do', () => {
    expect(matches({ type: 'order.placed', where: ['/customer:ada', '/amount:5'] })).toBe(true)
    expect(matches({ type: 'order.placed', where: ['/customer:ada', '/amount:6'] })).toBe(false)
    expect(matches({ type: 'order.paid', where: ['/customer:ada'] })).toBe(false)
  })

  test('of data lets an event through that could not be decoded', () => {
    const parsed = parseFilter({ where: '/customer:ada' })
    // It may be what is asked for: its reader is shown its bytes rather than nothing.
    expect(parsed.ok && parsed.filter?.({ id: 'a', data_base64: 'AA==' })).toBe(true)
  })

  test.each([
    [{ where: 'customer:ada' }],
    [{ where: '/customer' }],
    [{ where: ':ada' }],
    [{ where: '' }],
    [{ where: '/%E0%A4%A:1' }],
    [{ type: ['a', 'b'] }],
    [{ Type: 'a' }],
    [{ data: 'a' }],
    [{ 'x-y': 'a' }],
    [{ where: Array.from({ length: 17 }, () => '/a:1') }],
  ])('is refused with a reason: %j', (query) => {
    const parsed = parseFilter(query)
    expect(parsed.ok ? '' : parsed.detail).toMatch(/\w/)
  })
})
