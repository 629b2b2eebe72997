import { generateKeyPairSync } from 'node:crypto'
import { eventType } from '@millrace/core/event-type'
import { snowflake } from '@millrace/core/sink'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWarehouse } from '../src/snowflake-sql.ts'
import { additionOf, creationOf, mismatchedColumns, missingColumns, qualifiedName, tableOf } from '../src/table.ts'
import { startWarehouseDouble } from './warehouse-double.ts'

const from = eventType('departures', {
  schema: { type: 'object', properties: { origin: { type: 'string' }, at: { type: 'string', format: 'date-time' } } },
})
const table = tableOf(snowflake({ from, database: 'FLIGHTS', schema: 'RESULTS', table: 'DEPARTURES' }))

let double: Awaited<ReturnType<typeof startWarehouseDouble>>
beforeAll(async () => {
  double = await startWarehouseDouble()
})
afterAll(() => double.stop())

describe('the SQL API client', () => {
  it('makes a table, describes it as it should be, and finds it made the second time', async () => {
    const warehouse = openWarehouse(double.options)
    for (let round = 0; round < 2; round++) {
      for (const statement of creationOf(table)) await warehouse.execute(statement)
    }
    const described = (await warehouse.query(`DESC TABLE ${qualifiedName(table)}`)).map((row) => ({
      name: row['name'] ?? '',
      type: row['type'] ?? '',
    }))
    expect(missingColumns(table, described)).toEqual([])
    expect(mismatchedColumns(table, described)).toEqual([])
  })

  it('adds a column', async () => {
    const warehouse = openWarehouse(double.options)
    for (const statement of creationOf(table)) await warehouse.execute(statement)
    await warehouse.execute(additionOf(table, [{ name: 'ADDED', type: 'FLOAT', field: 'added' }]))
    const described = await warehouse.query(`DESC TABLE ${qualifiedName(table)}`)
    expect(described.at(-1)).toMatchObject({ name: 'ADDED', type: 'FLOAT' })
  })

  it('binds values by their type', async () => {
    const row = await openWarehouse(double.options).query('SELECT ? AS T, ? AS F, ? AS R, ? AS B, ? AS N', [
      "o'hare",
      42,
      0.1,
      true,
      null,
    ])
    expect(row).toEqual([{ T: "o'hare", F: '42', R: '0.1', B: 'true', N: null }])
  })

  it('reads a result of several partitions as one', async () => {
    const statement = 'SELECT "name" FROM numbers'
    await expect(openWarehouse(double.options).query(statement)).rejects.toMatchObject({ code: 'warehouse.refused' })
    const digits = Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS D`).join(' UNION ALL ')
    const joined = ['A', 'B', 'C', 'E'].map((name) => `(${digits}) AS ${name}`).join(' CROSS JOIN ')
    const rows = await openWarehouse(double.options).query(
      `SELECT A.D + 10 * B.D + 100 * C.D + 1000 * E.D AS N FROM ${joined} CROSS JOIN (SELECT 1 AS X UNION ALL SELECT 2 AS X) AS F`,
    )
    expect(rows).toHaveLength(20_000)
    expect(new Set(rows.map((row) => row['N'])).size).toBe(10_000)
  })

  it('says what the warehouse refused, and that trying again is of no use', async () => {
    const refusal = openWarehouse(double.options).execute('DROP TABLE x')
    await expect(refusal).rejects.toThrow('does not understand')
    await expect(refusal).rejects.toMatchObject({ code: 'warehouse.refused', retryable: false })
  })

  it('is refused with a key that the account does not know', async () => {
    const { privateKey: privateKeyPem } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    await expect(openWarehouse({ ...double.options, privateKeyPem }).execute('SELECT 1')).rejects.toMatchObject({
      code: 'warehouse.refused',
    })
  })

  it.each([
    ['a 503', { mode: 'status', status: 503 }],
    ['a 429', { mode: 'status', status: 429 }],
    ['a cut connection', { mode: 'drop' }],
    ['a lost answer', { mode: 'lost-answer' }],
    ['no answer within the deadline', { mode: 'hang' }],
  ])('is told to try again by %s', async (_, fault) => {
    await double.fault({ match: '/api/v2/statements', ...fault })
    const warehouse = openWarehouse({ ...double.options, timeoutMs: 1_000 })
    await expect(warehouse.query('SELECT 1')).rejects.toMatchObject({ code: 'warehouse.unavailable', retryable: true })
    expect(await warehouse.query('SELECT 1 AS ONE')).toEqual([{ ONE: '1' }])
  })
})
