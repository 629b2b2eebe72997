import {
  type Arithmetic,
  type Comparison,
  type Expression,
  literalTimeMs,
  type Numeric,
  type Scalar,
} from '@millrace/core/expression'
import type { FieldType } from '@millrace/core/field'
import * as sql from './sql.ts'

const operators: Record<Comparison, string> = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' }
const arithmetics: Record<Arithmetic, string> = { plus: '+', minus: '-', times: '*', 'divided-by': '/' }

/**
 * An expression over the decoded event as SQL. Both have three-valued logic: a comparison with null is unknown, and only what is true passes a filter.
 * @throws RangeError when a literal fits no SQL type, for instance a text that is no time beside a timestamp.
 */
export function expressionSql(expression: Expression): string {
  switch (expression.kind) {
    case 'field':
      return fieldSql(expression)
    case 'literal':
      return literalSql(expression.value, undefined)
    case 'compare': {
      const { operator, left, right } = expression
      return `(${operandSql(left, right)} ${operators[operator]} ${operandSql(right, left)})`
    }
    case 'arithmetic': {
      const { operator, left, right, type } = expression
      const computed = `(${[left, right].map((operand) => numericSql(operand, type)).join(` ${arithmetics[operator]} `)})`
      return type === 'integer' ? computed : `FINITE${computed}`
    }
    case 'and':
    case 'or':
      return `(${expression.operands.map(expressionSql).join(` ${expression.kind.toUpperCase()} `)})`
    case 'not':
      return `(NOT ${expressionSql(expression.operand)})`
    case 'is-null':
      return `(${expressionSql(expression.operand)} IS NULL)`
  }
}

/** Integers are computed with as they are, all else as doubles, so that both operands have one type. */
function numericSql(operand: Expression, type: Numeric): string {
  return type === 'integer' ? expressionSql(operand) : `CAST(${expressionSql(operand)} AS DOUBLE)`
}

/** A field of the decoded event, which stands in the column `event`, or of a joined table, each of which has a column, too. */
function fieldSql({ name, table }: Expression & { kind: 'field' }): string {
  return `${sql.identifier(table === undefined ? 'event' : tableColumn(table))}.${sql.identifier(name)}`
}

/** The column of a joined table's newest event. */
export function tableColumn(table: number): string {
  return `table_${table}`
}

function operandSql(operand: Expression, other: Expression): string {
  if (operand.kind !== 'literal') return expressionSql(operand)
  return literalSql(operand.value, other.kind === 'field' ? other.type : undefined)
}

function literalSql(value: Scalar, beside: FieldType | undefined): string {
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  if (typeof value === 'number') return sql.number(value)
  if (beside !== 'timestamp') return sql.text(value)
  return sql.instant(literalTimeMs(value))
}
