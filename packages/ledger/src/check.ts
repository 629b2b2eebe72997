import type { Database, Row } from './database.ts'

/** An equality that has to hold, as two queries: how much is compared, and which rows break it. */
export type Check = {
  readonly name: string
  readonly says: string
  readonly compared: string
  readonly differing: string
  /** Whether it fails where there was nothing to compare. */
  readonly needsSome?: boolean
}

export type CheckResult = {
  readonly name: string
  readonly says: string
  readonly ok: boolean
  readonly compared: number
  readonly differing: number
  readonly firstRows: readonly Row[]
}

const firstRowsMax = 5

export async function runCheck(
  database: Database,
  { name, says, compared, differing, needsSome }: Check,
): Promise<CheckResult> {
  await database.run(`CREATE OR REPLACE TEMP TABLE difference AS ${differing}`)
  const differences = await database.number('SELECT count(*) FROM difference')
  const comparisons = await database.number(compared)
  return {
    name,
    says,
    ok: differences === 0 && (comparisons > 0 || needsSome !== true),
    compared: comparisons,
    differing: differences,
    firstRows: await database.rows(`SELECT * FROM difference ORDER BY ALL LIMIT ${firstRowsMax}`),
  }
}
