import { timeOf } from './cloud-event.ts'
import type { Field, Fields, FieldType } from './field.ts'

/** The tree that a condition or a computed value is, before it becomes SQL. */
export type Expression =
  | { readonly kind: 'field'; readonly name: string; readonly type: FieldType }
  | { readonly kind: 'literal'; readonly value: Scalar }
  | {
      readonly kind: 'compare'
      readonly operator: Comparison
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Expression[] }
  | { readonly kind: 'not' | 'is-null'; readonly operand: Expression }

export type Comparison = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte'
export type Scalar = string | number | boolean

type ValueOf<Type extends FieldType> = Type extends 'number' | 'integer'
  ? number
  : Type extends 'boolean'
    ? boolean
    : string

/**
 * The time that a literal is which is compared with a timestamp, in milliseconds since 1970.
 * @throws RangeError when it is none.
 */
export function literalTimeMs(value: Scalar): number {
  const ms = timeOf(String(value))
  if (ms === undefined) throw new RangeError(`"${value}" is not a time: write it as in "2001-01-31T23:59:00Z"`)
  return ms
}

/** Something that is true, false or, where a field is null, unknown: SQL's three-valued logic. */
export type Condition = {
  readonly expression: Expression
  and(other: Condition): Condition
  or(other: Condition): Condition
  not(): Condition
}

/** A field of the event at hand. Comparisons take a literal or another field of the same type. */
export type Column<Type extends FieldType = FieldType> = {
  readonly expression: Expression
  readonly type: Type
  readonly field: { readonly type: Type; readonly nullable: boolean }
  eq(other: ValueOf<Type> | Column<Type>): Condition
  ne(other: ValueOf<Type> | Column<Type>): Condition
  gt(other: ValueOf<Type> | Column<Type>): Condition
  gte(other: ValueOf<Type> | Column<Type>): Condition
  lt(other: ValueOf<Type> | Column<Type>): Condition
  lte(other: ValueOf<Type> | Column<Type>): Condition
  isNull(): Condition
}

export type Columns<F extends Fields> = { readonly [Name in keyof F]: Column<F[Name]['type']> }

/** The columns of an event type: what the callbacks of a pipeline receive. */
export function columnsOf<F extends Fields>(fields: F): Columns<F>
export function columnsOf(fields: Fields): Record<string, Column> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, column(name, field)]))
}

function column(name: string, field: Field): Column {
  const expression: Expression = { kind: 'field', name, type: field.type }
  const compare = (operator: Comparison) => (other: Scalar | Column) =>
    condition({ kind: 'compare', operator, left: expression, right: operandOf(other) })
  return {
    expression,
    type: field.type,
    field,
    eq: compare('eq'),
    ne: compare('ne'),
    gt: compare('gt'),
    gte: compare('gte'),
    lt: compare('lt'),
    lte: compare('lte'),
    isNull: () => condition({ kind: 'is-null', operand: expression }),
  }
}

function operandOf(other: Scalar | Column): Expression {
  return typeof other === 'object' ? other.expression : { kind: 'literal', value: other }
}

function condition(expression: Expression): Condition {
  return {
    expression,
    and: (other) => condition({ kind: 'and', operands: [expression, other.expression] }),
    or: (other) => condition({ kind: 'or', operands: [expression, other.expression] }),
    not: () => condition({ kind: 'not', operand: expression }),
  }
}
