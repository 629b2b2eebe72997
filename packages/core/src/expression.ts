import { timeOf } from './cloud-event.ts'
import type { Field, Fields, FieldType } from './field.ts'

/** The tree that a condition or a computed value is, before it becomes SQL. */
export type Expression =
  | {
      readonly kind: 'field'
      readonly name: string
      readonly type: FieldType
      /** Which of the joined tables it is of; absent for the event itself. */
      readonly table?: number
    }
  | { readonly kind: 'literal'; readonly value: Scalar }
  | {
      readonly kind: 'compare'
      readonly operator: Comparison
      readonly left: Expression
      readonly right: Expression
    }
  | {
      readonly kind: 'arithmetic'
      readonly operator: Arithmetic
      readonly left: Expression
      readonly right: Expression
      /** What it computes with: integers of 64 bits, which wrap, or doubles, of which what is not finite is null. */
      readonly type: Numeric
    }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Expression[] }
  | { readonly kind: 'not' | 'is-null'; readonly operand: Expression }

export type Comparison = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte'
export type Arithmetic = 'plus' | 'minus' | 'times' | 'divided-by'
export type Numeric = 'number' | 'integer'
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

/** The type of what is computed of two numbers: only integers alone make an integer. */
type Combined<One, Other> = One extends 'integer' ? (Other extends 'integer' ? 'integer' : 'number') : 'number'

/**
 * A field of the event at hand, or what is computed of some. Comparisons take a literal or another column of the same type, arithmetic a number,
 * which beside an integer must be a whole one, or another numeric column.
 */
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
  plus<Other extends Numeric = Type & Numeric>(
    this: Column<Numeric>,
    other: number | Column<Other>,
  ): Column<Combined<Type, Other>>
  minus<Other extends Numeric = Type & Numeric>(
    this: Column<Numeric>,
    other: number | Column<Other>,
  ): Column<Combined<Type, Other>>
  times<Other extends Numeric = Type & Numeric>(
    this: Column<Numeric>,
    other: number | Column<Other>,
  ): Column<Combined<Type, Other>>
  /** Always with a fraction; null where the divisor is 0. */
  dividedBy(this: Column<Numeric>, other: number | Column<Numeric>): Column<'number'>
}

export type Columns<F extends Fields> = { readonly [Name in keyof F]: Column<F[Name]['type']> }

/**
 * The columns of an event type: what the callbacks of a pipeline receive. Where types do not tell, a name that is none is told when it is read.
 */
export function columnsOf<F extends Fields>(fields: F): Columns<F>
export function columnsOf(fields: Fields): Record<string, Column> {
  return checked(mapped(fields, (name, field) => column({ kind: 'field', name, type: field.type }, field)))
}

/** The columns of a joined table, which has no row for some events. */
export function tableColumnsOf<F extends Fields>(fields: F, table: number): Columns<F>
export function tableColumnsOf(fields: Fields, table: number): Record<string, Column> {
  return checked(
    mapped(fields, (name, { type }) => column({ kind: 'field', name, type, table }, { type, nullable: true })),
  )
}

function mapped(fields: Fields, of: (name: string, field: Field) => Column): Record<string, Column> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, of(name, field)]))
}

/**
 * Columns and others beside them.
 * @throws RangeError when a name is there twice
 */
export function extended<F extends Fields, C extends Readonly<Record<string, Column>>>(
  columns: Columns<F>,
  added: C,
): Columns<F & { readonly [Name in keyof C]: C[Name]['field'] }>
export function extended(
  columns: Readonly<Record<string, Column>>,
  added: Readonly<Record<string, Column>>,
): Record<string, Column> {
  const twice = Object.keys(added).find((name) => Object.hasOwn(columns, name))
  if (twice !== undefined)
    throw new RangeError(`there is a field "${twice}" already: give what is computed another name`)
  return checked({ ...columns, ...added })
}

function checked(columns: Record<string, Column>): Record<string, Column> {
  return new Proxy(columns, {
    get: (target, name): unknown => {
      if (typeof name === 'symbol' || Object.hasOwn(target, name)) return Reflect.get(target, name)
      throw new RangeError(`there is no field "${name}": the fields are ${Object.keys(target).join(', ')}`)
    },
  })
}

type ColumnField = { readonly type: FieldType; readonly nullable: boolean }

function column<Type extends FieldType>(expression: Expression, field: ColumnField & { type: Type }): Column<Type>
function column(expression: Expression, field: ColumnField): Column {
  const compare = (operator: Comparison) => (other: Scalar | Column) =>
    condition({ kind: 'compare', operator, left: expression, right: operandOf(other) })
  const self: Column = {
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
    plus: (other) => computed('plus', self, other),
    minus: (other) => computed('minus', self, other),
    times: (other) => computed('times', self, other),
    dividedBy: (other) => computed('divided-by', self, other),
  }
  return self
}

function computed<Type extends Numeric>(operator: Arithmetic, left: Column, right: number | Column): Column<Type>
function computed(operator: Arithmetic, left: Column, right: number | Column): Column<Numeric> {
  const isLiteral = typeof right === 'number'
  const isWhole = left.type === 'integer' && (isLiteral || right.type === 'integer')
  if (isLiteral && isWhole && operator !== 'divided-by' && !Number.isSafeInteger(right)) {
    throw new RangeError(`${right} stands beside an integer: write a whole number up to 2^53`)
  }
  if (isLiteral && !Number.isFinite(right)) throw new RangeError(`${right} cannot be computed with`)
  for (const one of isLiteral ? [left] : [left, right]) requireNumeric(one, `cannot be computed with`)
  const type = isWhole && operator !== 'divided-by' ? 'integer' : 'number'
  const nullable = type === 'number' || left.field.nullable || (!isLiteral && right.field.nullable)
  return column(
    { kind: 'arithmetic', operator, left: left.expression, right: operandOf(right), type },
    { type, nullable },
  )
}

/**
 * For callers whose types do not tell.
 * @throws RangeError
 */
export function requireNumeric({ expression, type }: Column, violation: string): void {
  if (type === 'number' || type === 'integer') return
  const name = expression.kind === 'field' ? `the field "${expression.name}"` : 'it'
  throw new RangeError(`${name} is a ${type}, which ${violation}: only numbers are`)
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
