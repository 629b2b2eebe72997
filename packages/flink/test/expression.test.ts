import type { Expression } from '@millrace/core/expression'
import { expect, test } from 'vitest'
import { expressionSql } from '../src/expression.ts'

function beside(type: 'timestamp' | 'string', value: string): string {
  const field: Expression = { kind: 'field', name: 'at', type }
  return expressionSql({ kind: 'compare', operator: 'lt', left: field, right: { kind: 'literal', value } })
}

test('a text beside a timestamp is a point in time, wherever it is compiled', () => {
  expect(beside('timestamp', '1969-12-31T23:59:59.999Z')).toBe('(`event`.`at` < TO_TIMESTAMP_LTZ(-1, 3))')
  expect(beside('timestamp', '1970-01-01t01:00:00+01:00')).toBe('(`event`.`at` < TO_TIMESTAMP_LTZ(0, 3))')
  expect(beside('string', '1970')).toBe("(`event`.`at` < '1970')")
})

test.each(['1970', '1970-01-01', '1970-01-01T00:00:00', '1970-01-01 00:00:00Z', '1 Jan 1970', 'soon', ''])(
  '%j beside a timestamp is refused, for it names no point in time',
  (value) => {
    expect(() => beside('timestamp', value)).toThrow(/is not a time/)
  },
)

test.each(['2023-02-29T00:00:00Z', '2023-04-31T00:00:00Z', '2023-13-01T00:00:00Z', '2023-01-01T25:00:00Z'])(
  '%j is refused, for there is no such time',
  (value) => {
    expect(() => beside('timestamp', value)).toThrow(/is not a time/)
  },
)
