import { type Column, type Expression, type Numeric, requireNumeric } from './expression.ts'
import type { FieldType } from './field.ts'

/** A value computed over all events of a window and group. Nulls are left out, as in SQL. */
export type Aggregate<Type extends FieldType = FieldType> = {
  readonly kind: 'count' | 'count-distinct' | 'sum' | 'average' | 'min' | 'max' | 'quantile' | 'first' | 'last'
  /** What it is computed over; absent for `count`. */
  readonly of: Expression | undefined
  /** Of a quantile: how much of the values it is not less than, 0 to 1. */
  readonly share?: number
  readonly type: Type
  /** Whether the result is null where no event had a value. */
  readonly nullable: boolean
}

export function count(): Aggregate<'integer'> {
  return { kind: 'count', of: undefined, type: 'integer', nullable: false }
}

/**
 * How many different values there are.
 * @public
 */
export function countDistinct(column: Column): Aggregate<'integer'> {
  return { kind: 'count-distinct', of: column.expression, type: 'integer', nullable: false }
}

/** Of integers it wraps at 64 bits; of numbers it is null where it is beyond the doubles. */
export function sum<Type extends Numeric>(column: Column<Type>): Aggregate<Type> {
  return over('sum', column, column.type)
}

export function average(column: Column<'number'> | Column<'integer'>): Aggregate<'number'> {
  return over('average', column, 'number')
}

/** @public */
export function min<Type extends Numeric>(column: Column<Type>): Aggregate<Type> {
  return over('min', column, column.type)
}

/** @public */
export function max<Type extends Numeric>(column: Column<Type>): Aggregate<Type> {
  return over('max', column, column.type)
}

/**
 * The value that `share` of all values do not exceed, between two of them in proportion: SQL's PERCENTILE_CONT.
 * @param share 0 to 1: 0.5 for the median
 * @throws RangeError
 * @public
 */
export function quantile(column: Column<'number'> | Column<'integer'>, share: number): Aggregate<'number'> {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`a quantile of ${share}: write a share from 0 to 1`)
  return { ...over('quantile', column, 'number'), share }
}

/**
 * The value of the event that is first by its time and, among equal ones, by its partition and offset.
 * @public
 */
export function first<Type extends FieldType>(column: Column<Type>): Aggregate<Type> {
  return { kind: 'first', of: column.expression, type: column.type, nullable: true }
}

/**
 * The value of the event that is last by its time and, among equal ones, by its partition and offset.
 * @public
 */
export function last<Type extends FieldType>(column: Column<Type>): Aggregate<Type> {
  return { kind: 'last', of: column.expression, type: column.type, nullable: true }
}

function over<Type extends Numeric>(kind: Aggregate['kind'], column: Column<Numeric>, type: Type): Aggregate<Type> {
  requireNumeric(column, `has no ${kind}`)
  return { kind, of: column.expression, type, nullable: true }
}
