import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Double, startDouble } from './double.ts'

let double: Double
beforeAll(async () => {
  double = await startDouble()
  await double.rows('CREATE DATABASE IF NOT EXISTS LAKE')
  await double.rows('CREATE SCHEMA IF NOT EXISTS LAKE.RAW')
})
afterAll(() => double.close())

describe('DDL', () => {
  it('makes a table once, and describes it with Snowflake’s types', async () => {
    const columns =
      'meta VARIANT, name STRING, n INTEGER, x DOUBLE, b BOOLEAN, d DATE, t TIMESTAMP_TZ, u TIMESTAMP_NTZ(6) NOT NULL'
    await double.rows(`create table if not exists lake.raw.types (${columns})`)
    await double.rows(`CREATE TABLE IF NOT EXISTS "LAKE"."RAW"."TYPES" (other VARIANT)`)
    const described = await double.rows('DESC TABLE LAKE.RAW.TYPES')
    expect(described.map(([name, type, , nullable]) => `${name} ${type} ${nullable}`)).toEqual([
      'META VARIANT Y',
      'NAME VARCHAR(16777216) Y',
      'N NUMBER(38,0) Y',
      'X FLOAT Y',
      'B BOOLEAN Y',
      'D DATE Y',
      'T TIMESTAMP_TZ(9) Y',
      'U TIMESTAMP_NTZ(6) N',
    ])
  })

  it('keeps tables of one name in two databases apart', async () => {
    await double.rows('CREATE DATABASE IF NOT EXISTS POND')
    await double.rows('CREATE TABLE POND.PUBLIC.SAME (A INT)')
    await double.rows('CREATE TABLE LAKE.RAW.SAME (B INT)')
    expect((await double.rows('DESC TABLE POND.PUBLIC.SAME')).map(([name]) => name)).toEqual(['A'])
    expect((await double.rows('DESC TABLE LAKE.RAW.SAME')).map(([name]) => name)).toEqual(['B'])
  })

  it('adds columns', async () => {
    await double.rows('CREATE TABLE LAKE.RAW.GROWS (A INT)')
    await double.rows('ALTER TABLE LAKE.RAW.GROWS ADD COLUMN B VARCHAR, "c d" FLOAT')
    await double.rows('ALTER TABLE LAKE.RAW.GROWS ADD COLUMN IF NOT EXISTS B VARCHAR')
    expect((await double.rows('DESC TABLE LAKE.RAW.GROWS')).map(([name]) => name)).toEqual(['A', 'B', 'c d'])
  })

  it.each([
    ['a table that exists', 'CREATE TABLE LAKE.RAW.SAME (A INT)', '002002'],
    ['a table in no schema', 'CREATE TABLE LAKE.NOWHERE.T (A INT)', '002003'],
    ['a schema in no database', 'CREATE SCHEMA NOWHERE.S', '002003'],
    ['a column that exists', 'ALTER TABLE LAKE.RAW.SAME ADD COLUMN B INT', '001430'],
    ['two columns of one name', 'CREATE TABLE LAKE.RAW.TWICE (A INT, a INT)', '002025'],
    ['a type that is not known', 'CREATE TABLE LAKE.RAW.T (A GEOGRAPHY)', '001003'],
    ['a description of no table', 'DESC TABLE LAKE.RAW.NOTHING', '002003'],
    ['a name that is not full', 'CREATE TABLE T (A INT)', '090105'],
  ])('refuses %s', async (_, sql, code) => {
    expect(await double.statement(sql)).toMatchObject({ status: 422, code })
  })

  it('leaves nothing behind when it is refused', async () => {
    await double.statement('ALTER TABLE LAKE.RAW.SAME ADD COLUMN C INT, B INT')
    expect((await double.rows('DESC TABLE LAKE.RAW.SAME')).map(([name]) => name)).toEqual(['B'])
  })
})

describe('SELECT', () => {
  it('answers text in the encoding of each type', async () => {
    const statement = `SELECT 1 AS I, 0.1::FLOAT AS R, true AS B, '2001-01-01'::DATE AS D,
      '2001-01-01T02:00:00+02:00'::TIMESTAMP_TZ AS T, '1969-12-31 23:59:59.5'::TIMESTAMP_NTZ AS U`
    const answer = await double.call('POST', '/api/v2/statements', { statement })
    expect(await answer.json()).toMatchObject({
      data: [['1', '0.1', 'true', '11323', '978307200.000000000 1440', '-0.500000000']],
      resultSetMetaData: {
        numRows: 1,
        rowType: ['fixed', 'real', 'boolean', 'date', 'timestamp_tz', 'timestamp_ntz'].map((type) => ({
          type,
        })),
      },
    })
  })

  it.each([
    ['a statement that it does not know', 'DELETE FROM LAKE.RAW.SAME'],
    ['two statements', 'SELECT 1; SELECT 2'],
    ['a function that may differ', 'SELECT avg(B) FROM LAKE.RAW.SAME'],
    ['a division', 'SELECT 1 / 2'],
    ['a cast to text', 'SELECT B::VARCHAR FROM LAKE.RAW.SAME'],
    ['a table function', "SELECT * FROM read_text('/etc/passwd')"],
    ['a file', "SELECT * FROM '/etc/passwd'"],
    ['its own bookkeeping', 'SELECT * FROM double.keys'],
    ['a backslash in a string', "SELECT 'a\\'' "],
    ['a common table expression', 'WITH a AS (SELECT 1) SELECT * FROM a'],
    ['an ambiguous identifier', 'SELECT * FROM LAKE.RAW."a.b"'],
  ])('refuses %s', async (_, sql) => {
    expect((await double.statement(sql)).status).toBe(422)
  })

  it('refuses a request that is malformed', async () => {
    for (const body of [{}, { statement: 1 }, { statement: 'SELECT 1', surprise: true }]) {
      expect((await double.call('POST', '/api/v2/statements', body)).status).toBe(400)
    }
  })

  it('refuses a body beyond its bound', async () => {
    const answer = await double.call('POST', '/api/v2/statements', { statement: 'x'.repeat(9 * 1_024 * 1_024) })
    expect(answer.status).toBe(413)
  })
})
