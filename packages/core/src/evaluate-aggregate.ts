/** Aggregates as Flink computes them. */
import type { Aggregate } from './aggregate.ts'
import { evaluateExpression } from './evaluate-expression.ts'
import type { EventRow, RowValue } from './event-row.ts'

/** An event in a window, and what orders it among all others. */
export type Placed = {
  readonly row: EventRow
  readonly timeMs: number
  readonly partition: number
  readonly offset: number
}

type Value = Exclude<RowValue, null>
type Numeric = number | bigint

/** The value over events, which are in the order in which they came. Nulls are left out. */
export function evaluateAggregate({ kind, of, share = 0 }: Aggregate, events: readonly Placed[]): RowValue {
  if (of === undefined) return BigInt(events.length)
  const pairs = events.flatMap((event) => {
    const value = evaluateExpression(of, event.row)
    return value === null ? [] : [{ value, event }]
  })
  const values = pairs.map(({ value }) => value)
  switch (kind) {
    case 'count':
      return BigInt(values.length)
    case 'count-distinct':
      return BigInt(new Set(values.map(valueText)).size)
    case 'sum':
      return folded(values, added)
    case 'average':
      return values.length === 0
        ? null
        : finite(values.map(Number).reduce((sum, value) => sum + value, 0) / values.length)
    case 'min':
      return folded(values, (least, value) => (value < least ? value : least))
    case 'max':
      return folded(values, (most, value) => (value > most ? value : most))
    case 'quantile':
      return quantile(values.map(Number), share)
    case 'first':
      return pairs.sort((one, other) => order(one.event, other.event))[0]?.value ?? null
    case 'last':
      return pairs.sort((one, other) => order(other.event, one.event))[0]?.value ?? null
  }
}

/** Different for different values; 0 and -0 are two, as their bytes are. */
export function valueText(value: RowValue): string {
  return Object.is(value, -0) ? '-0' : typeof value === 'string' ? JSON.stringify(value) : String(value)
}

function folded(values: readonly Value[], fold: (so: Numeric, value: Numeric) => Numeric): Numeric | null {
  const [first, ...others] = values.filter((value) => typeof value === 'number' || typeof value === 'bigint')
  return first === undefined ? null : finite(others.reduce(fold, first))
}

/** Integers have 64 bits, and wrap. */
function added(sum: Numeric, value: Numeric): Numeric {
  return typeof sum === 'bigint' ? BigInt.asIntN(64, sum + BigInt(value)) : sum + Number(value)
}

/** What is beyond the doubles is not published, and 0 has one sign. */
function finite(value: Numeric): Numeric | null {
  if (typeof value === 'bigint') return value
  return Number.isFinite(value) ? value + 0 : null
}

/** As Flink's PERCENTILE computes it, so that it is rounded alike. */
function quantile(values: number[], share: number): RowValue {
  values.sort((one, other) => one - other)
  const place = share * (values.length - 1) + 1
  const [below, above] = [values[Math.floor(place) - 1], values[Math.ceil(place) - 1]]
  if (below === undefined || above === undefined) return null
  return finite(below === above ? below : (Math.ceil(place) - place) * below + (place - Math.floor(place)) * above)
}

/** By time, and among equal ones by partition and offset. */
function order(one: Placed, other: Placed): number {
  return one.timeMs - other.timeMs || one.partition - other.partition || one.offset - other.offset
}
