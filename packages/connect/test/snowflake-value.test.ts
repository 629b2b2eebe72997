import { describe, expect, it } from 'vitest'
import { rowsOf } from '../src/snowflake-value.ts'

function valueOf(type: string, value: string | null): string | null | undefined {
  return rowsOf([{ name: 'V', type }], [[value]])[0]?.['V']
}

describe('a value of the SQL API', () => {
  it.each([
    ['timestamp_tz', '978310800.000000000 1440', '2001-01-01T01:00:00.000Z'],
    ['timestamp_tz', '978310800.500000000 1590', '2001-01-01T01:00:00.500Z'],
    ['timestamp_ltz', '978310800.123456000', '2001-01-01T01:00:00.123456Z'],
    ['timestamp_ntz', '978310800.123456789', '2001-01-01T01:00:00.123456789'],
    ['timestamp_ntz', '-0.876544000', '1969-12-31T23:59:59.123456'],
    ['date', '11323', '2001-01-01'],
    ['fixed', '9007199254740993', '9007199254740993'],
    ['real', '5e-324', '5e-324'],
    ['boolean', 'true', 'true'],
    ['variant', '{"a":1}', '{"a":1}'],
  ])('of type %s: %s is %s', (type, encoded, expected) => expect(valueOf(type, encoded)).toBe(expected))

  it('is null where it is null, whatever its type', () => expect(valueOf('timestamp_tz', null)).toBeNull())
})
