import type { Dataset } from '@millrace/example-flights/dataset'
import type { Flight, ReportPosition } from '@millrace/example-flights/flight'

const yearMs = 365 * 86_400_000
/** More than the dataset has, so that no two flights have one row. */
const rowsPerYear = 10_000_000

/** The flights of a dataset of less than a year, the same again a year later, and so on: a long run needs more than it has. */
export function everyYear(dataset: Dataset): Dataset {
  return { flights: (after) => yearsOf(dataset, after), close: () => dataset.close() }
}

async function* yearsOf(dataset: Dataset, after: ReportPosition | undefined): AsyncGenerator<readonly Flight[]> {
  const first = after === undefined ? 0 : Math.floor(after.row / rowsPerYear)
  for (let year = first; ; year += 1) {
    const from = year === first && after !== undefined ? moved(after, -year) : undefined
    let isEmpty = from === undefined
    for await (const slice of dataset.flights(from)) {
      isEmpty = false
      yield slice.map((flight) => ({
        ...moved(flight, year),
        departedMs: flight.departedMs + year * yearMs,
      }))
    }
    if (isEmpty) return
  }
}

function moved<Position extends ReportPosition>(position: Position, years: number): Position {
  return {
    ...position,
    row: position.row + years * rowsPerYear,
    reportedMs: position.reportedMs + years * yearMs,
  }
}
