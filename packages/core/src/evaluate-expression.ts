import { type EventRow, type RowValue, tableField } from './event-row.ts'
import { type Arithmetic, type Comparison, type Expression, literalTimeMs } from './expression.ts'

/** The value of an expression for an event, as SQL computes it: `null` is what is not known. */
export function evaluateExpression(expression: Expression, row: EventRow): RowValue {
  switch (expression.kind) {
    case 'field':
      return row.get(fieldIn(expression)) ?? null
    case 'literal':
      return expression.value
    case 'compare': {
      const { operator, left, right } = expression
      const order = orderOf(operandOf(left, right, row), operandOf(right, left, row))
      return order === undefined ? null : comparisons[operator](order)
    }
    case 'arithmetic':
      return computed(expression, row)
    case 'and':
      return every(expression.operands, row, false)
    case 'or':
      return every(expression.operands, row, true)
    case 'not': {
      const value = evaluateExpression(expression.operand, row)
      return value === null ? null : value !== true
    }
    case 'is-null':
      return evaluateExpression(expression.operand, row) === null
  }
}

function fieldIn({ name, table }: Expression & { kind: 'field' }): string {
  return table === undefined ? name : tableField(name, table)
}

const comparisons: Record<Comparison, (order: number) => boolean> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
}

function computed({ operator, left, right, type }: Expression & { kind: 'arithmetic' }, row: EventRow): RowValue {
  const operands = [left, right].map((operand) => evaluateExpression(operand, row))
  if (operands.includes(null)) return null
  if (type === 'integer' && operator !== 'divided-by') {
    const [one = 0n, other = 0n] = operands.map((operand) => BigInt(operand ?? 0))
    return BigInt.asIntN(64, whole[operator](one, other))
  }
  const [one = 0, other = 0] = operands.map(Number)
  const value = arithmetics[operator](one, other)
  return Number.isFinite(value) ? value + 0 : null
}

const arithmetics: Record<Arithmetic, (one: number, other: number) => number> = {
  plus: (one, other) => one + other,
  minus: (one, other) => one - other,
  times: (one, other) => one * other,
  'divided-by': (one, other) => one / other,
}

const whole: Record<Exclude<Arithmetic, 'divided-by'>, (one: bigint, other: bigint) => bigint> = {
  plus: (one, other) => one + other,
  minus: (one, other) => one - other,
  times: (one, other) => one * other,
}

/** Three-valued: one operand that decides is enough, and of the others none matters. */
function every(operands: readonly Expression[], row: EventRow, decides: boolean): boolean | null {
  const values = operands.map((operand) => evaluateExpression(operand, row))
  if (values.includes(decides)) return decides
  return values.includes(null) ? null : !decides
}

/** A text beside a time is a time. */
function operandOf(operand: Expression, other: Expression, row: EventRow): RowValue {
  const isTime = operand.kind === 'literal' && other.kind === 'field' && other.type === 'timestamp'
  return isTime ? literalTimeMs(operand.value) : evaluateExpression(operand, row)
}

/** Negative, 0 or positive; `undefined` where one of them is not known. Texts are ordered by their UTF-16. */
function orderOf(left: RowValue, right: RowValue): number | undefined {
  if (left === null || right === null) return undefined
  const [one, other] = [comparable(left, right), comparable(right, left)]
  return one < other ? -1 : one > other ? 1 : 0
}

/** An integer beside a literal that is a DOUBLE in SQL, as all are that a number does not hold exactly, is one too. */
function comparable(value: Exclude<RowValue, null>, beside: Exclude<RowValue, null>): Exclude<RowValue, null> {
  return typeof value === 'bigint' && typeof beside === 'number' && !Number.isSafeInteger(beside)
    ? Number(value)
    : value
}
