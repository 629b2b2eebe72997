import { describe, expect, test } from 'vitest'
import { nextHop, traceOf } from '../src/trace-context.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parent = 'b7ad6b7169203331'

describe('a trace', () => {
  test('goes on with a hop of its own, its flags and its state', () => {
    const trace = traceOf({ traceparent: `00-${traceId}-${parent}-01`, tracestate: 'a=1,b=2' })
    const headers = trace && nextHop(trace)
    expect(headers?.get('traceparent')).toMatch(new RegExp(`^00-${traceId}-(?!${parent})[0-9a-f]{16}-01$`))
    expect(headers?.get('tracestate')).toBe('a=1,b=2')
    expect(trace && nextHop(trace).get('traceparent')).not.toBe(headers?.get('traceparent'))
  })

  test('of a later version is read as far as this one goes', () => {
    expect(traceOf({ traceparent: `01-${traceId}-${parent}-00-more` })).toMatchObject({ traceId, flags: '00' })
  })

  test.each([
    undefined,
    7,
    'nonsense',
    `00-${traceId}-${parent}`,
    `00-${traceId}-${parent}-01-more`,
    `ff-${traceId}-${parent}-01`,
    `00-${'0'.repeat(32)}-${parent}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${parent}-01`,
    `01-${traceId}-${parent}-00more`,
  ])('is none where it is not valid: %s', (traceparent) => {
    expect(traceOf({ traceparent, tracestate: 'a=1' })).toBeUndefined()
  })

  test.each(['', 'x'.repeat(513), 7])('has no state where that is %j', (tracestate) => {
    const trace = traceOf({ traceparent: `00-${traceId}-${parent}-01`, tracestate })
    expect(trace && [...nextHop(trace).keys()]).toEqual(['traceparent'])
  })
})
