import { fileURLToPath } from 'node:url'

import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'

import type { Flight, ReportPosition } from './flight.ts'

/** The file of the dataset: 3 million flights in the United States, January to June 2001. */
export const datasetFile = fileURLToPath(new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')))

const minuteMs = 60_000
const sliceMs = 24 * 60 * minuteMs

export type Dataset = {
  /**
   * Flights in report order after a position, in slices of one day of report time (about 17 000 flights), so that
   * memory stays bounded and starting in the middle costs no more than starting at the beginning.
   */
  flights(after: ReportPosition | undefined): AsyncGenerator<readonly Flight[]>
  close(): void
}

/** Opens the dataset. A zoneless `date` is read as UTC; a flight is reported at `date + max(delay, 0)`. */
export async function openDataset(file: string = datasetFile): Promise<Dataset> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '256MB' })
  const connection = await instance.connect()
  await connection.run(`CREATE VIEW flights AS ${viewOf(file)}`)
  return {
    flights: (after) => slices(connection, after),
    close: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

function viewOf(file: string): string {
  return `
    SELECT file_row_number AS row, date,
      epoch_ms(date) AS departed_ms,
      epoch_ms(date) + greatest(delay, 0) * ${minuteMs} AS reported_ms,
      origin, destination, distance, delay
    FROM read_parquet('${file.replaceAll("'", "''")}', file_row_number = true)`
}

async function* slices(
  connection: DuckDBConnection,
  after: ReportPosition | undefined,
): AsyncGenerator<readonly Flight[]> {
  const bounds = await connection.runAndReadAll(
    'SELECT min(reported_ms), max(reported_ms), max(reported_ms - departed_ms) FROM flights',
  )
  const [first, last, delayMaxMs] = (bounds.getRows()[0] ?? []).map(Number)
  if (first === undefined || last === undefined || delayMaxMs === undefined) return
  const start = after ?? { reportedMs: first, row: -1 }
  for (let fromMs = start.reportedMs; fromMs <= last; fromMs += sliceMs) {
    const flights = await slice(connection, { after: start, fromMs, delayMaxMs })
    if (flights.length > 0) yield flights
  }
}

type Slice = { readonly after: ReportPosition; readonly fromMs: number; readonly delayMaxMs: number }

/** The bounds on `date` let DuckDB skip the row groups that cannot hold a flight of the slice. */
async function slice(connection: DuckDBConnection, { after, fromMs, delayMaxMs }: Slice): Promise<Flight[]> {
  const reader = await connection.runAndReadAll(
    `SELECT row, departed_ms, reported_ms, origin, destination, distance, delay FROM flights
     WHERE date >= make_timestamp_ms($earliest::BIGINT) AND date < make_timestamp_ms($to::BIGINT)
       AND reported_ms >= $from AND reported_ms < $to
       AND (reported_ms > $after OR row > $row)
     ORDER BY reported_ms, row`,
    {
      earliest: BigInt(fromMs - delayMaxMs),
      from: BigInt(fromMs),
      to: BigInt(fromMs + sliceMs),
      after: BigInt(after.reportedMs),
      row: BigInt(after.row),
    },
  )
  return reader.getRows().map(([row, departed, reported, origin, destination, distance, delay]) => ({
    row: Number(row),
    departedMs: Number(departed),
    reportedMs: Number(reported),
    origin: String(origin),
    destination: String(destination),
    distance: Number(distance),
    delay: Number(delay),
  }))
}
