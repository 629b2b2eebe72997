import { appendFileSync, writeFileSync } from 'node:fs'
import type { Warehouse } from '@millrace/connect/snowflake-sql'
import { qualifiedName, type Table } from '@millrace/connect/table'

/**
 * Writes the rows of the results' table to a file of JSON lines for `load.ts`, as SQL answers them, one partition of the
 * result topic after the other so that the memory stays bounded.
 * @throws MillraceError 'warehouse.unavailable' | 'warehouse.refused'
 */
export async function readWarehouse(
  warehouse: Warehouse,
  table: Table,
  partitions: number,
  file: string,
): Promise<void> {
  writeFileSync(file, '', { mode: 0o600 })
  const metadata = (name: string): string => `"RECORD_METADATA":${name}::NUMBER(38,0)`
  const values = ['ORIGIN', 'WINDOW_START', 'WINDOW_END', 'FLIGHTS', 'DISTANCE', 'MEAN_DELAY']
  const selected = [
    `${metadata('partition')} AS "PARTITION"`,
    `${metadata('offset')} AS "OFFSET"`,
    ...values.map((name) => `"${name}"`),
  ]
  for (let partition = 0; partition < partitions; partition++) {
    const rows = await warehouse.query(
      `SELECT ${selected.join(', ')} FROM ${qualifiedName(table)} WHERE ${metadata('partition')} = ?`,
      [partition],
    )
    appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  }
}

/** How many rows the table has. */
export async function countRows(warehouse: Warehouse, table: Table): Promise<number> {
  const [row] = await warehouse.query(`SELECT COUNT(*) AS "ROWS" FROM ${qualifiedName(table)}`)
  return Number(row?.['ROWS'])
}
