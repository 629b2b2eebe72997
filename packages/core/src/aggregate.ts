import type { Column, Expression } from './expression.ts'
import type { FieldType } from './field.ts'

/** A value computed over all events of a window and group. Nulls are left out, as in SQL. */
export type Aggregate<Type extends FieldType = FieldType> = {
  readonly kind: 'count' | 'sum' | 'average' | 'min' | 'max'
  /** The field it is computed over; absent for `count`. */
  readonly of: Expression | undefined
  readonly type: Type
  /** Whether the result is null where no event had a value. */
  readonly nullable: boolean
}

type Numeric = 'number' | 'integer'

export function count(): Aggregate<'integer'> {
  return { kind: 'count', of: undefined, type: 'integer', nullable: false }
}

export function sum<Type extends Numeric>(column: Column<Type>): Aggregate<Type> {
  return { kind: 'sum', of: column.expression, type: column.type, nullable: true }
}

export function average(column: Column<'number'> | Column<'integer'>): Aggregate<'number'> {
  return { kind: 'average', of: column.expression, type: 'number', nullable: true }
}

/** @public */
export function min<Type extends Numeric>(column: Column<Type>): Aggregate<Type> {
  return { kind: 'min', of: column.expression, type: column.type, nullable: true }
}

/** @public */
export function max<Type extends Numeric>(column: Column<Type>): Aggregate<Type> {
  return { kind: 'max', of: column.expression, type: column.type, nullable: true }
}
