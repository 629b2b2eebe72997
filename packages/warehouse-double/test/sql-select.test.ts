import { describe, expect, it } from 'vitest'
import { translateSelect } from '../src/sql-select.ts'
import { tokensOf } from '../src/sql-token.ts'

function translated(sql: string): string {
  return translateSelect(tokensOf(sql), { table: (parts) => `<${parts.join('.')}>`, current: (name) => `the ${name}` })
}

describe('a SELECT', () => {
  it.each([
    ['names in upper case unless quoted', 'select a, "b" from lake.raw."t"', 'SELECT "A" , "b" FROM <LAKE.RAW.t>'],
    ['a path, with its case kept', 'select m:ceId from t', `SELECT ("M" -> '$."ceId"') FROM <T>`],
    ['a longer path', 'select m:a.b from t', `SELECT ("M" -> '$."a"."b"') FROM <T>`],
    [
      'a path that is cast',
      'select m:offset::number from t',
      `SELECT CAST(("M" ->> '$."offset"') AS DECIMAL(38,0)) FROM <T>`,
    ],
    ['a path as text', `select m:"ce-id"::varchar from t`, `SELECT CAST(("M" ->> '$."ce-id"') AS VARCHAR) FROM <T>`],
    [
      'a path of a table’s column',
      'select x.m:k::int from t x',
      `SELECT CAST(("X"."M" ->> '$."k"') AS DECIMAL(38,0)) FROM <T> "X"`,
    ],
    [
      'a path that is counted',
      'select count(distinct m:k) from t',
      `SELECT COUNT ( DISTINCT ("M" -> '$."k"') ) FROM <T>`,
    ],
    ['parameters in their order', 'select ? from t where a = ?', 'SELECT $1 FROM <T> WHERE "A" = $2'],
    ['what is current', 'select current_role()', "SELECT 'the CURRENT_ROLE'"],
    ['strings as they are', "select 'from x -- '", "SELECT 'from x -- '"],
    [
      'a join',
      'select a.x from t a join s b on a.x = b.x',
      'SELECT "A"."X" FROM <T> "A" JOIN <S> "B" ON "A"."X" = "B"."X"',
    ],
  ])('translates %s', (_, sql, expected) => {
    expect(translated(sql)).toBe(expected)
  })

  it.each([
    ['compares', 'select a from t where m:k = 5'],
    ['compares from the right', 'select a from t where 5 = m:k'],
    ['orders by', 'select a from t order by max(m:k)'],
    ['takes the maximum of', 'select max(m:k) from t'],
    ['computes with', 'select m:k + 1 from t'],
  ])('refuses what %s a path without a cast', (_, sql) => {
    expect(() => translated(sql)).toThrow('cast a path')
  })
})
