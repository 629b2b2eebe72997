/**
 * A pipeline as the catalog keeps it, in the entry of what it publishes: plain data, enough to tell of a record whether the pipeline takes it, and
 * in which windows and group it is.
 */
import { isMilliseconds } from './duration.ts'
import type { Arithmetic, Comparison, Expression } from './expression.ts'
import type { Field, Fields, FieldType } from './field.ts'
import { hasOnly, isJsonArray, isJsonObject, isPointer, type JsonPointer, type JsonValue } from './json.ts'
import { isWindow, type LatePolicy, type Window } from './window.ts'

export type PipelineDefinition = {
  readonly name: string
  readonly from: {
    readonly name: string
    readonly topic: string
    /** What is read of an event, and must be there. */
    readonly fields: Fields
    readonly time: JsonPointer | undefined
  }
  readonly where: Expression | undefined
  readonly window: Window
  readonly watermark: { readonly futureBoundMs: number | undefined }
  readonly late: LatePolicy
  readonly groupBy: Readonly<Record<string, { readonly expression: Expression; readonly type: FieldType }>>
}

/** How deep an expression may be: each level is a call of whatever goes through it. */
const depthMax = 1_000

/** What the catalog keeps of a pipeline; `undefined` for one with an expression that is too deep. */
export function pipelineDefinition(pipeline: PipelineDefinition): PipelineDefinition | undefined {
  const { name, from, where, window, watermark, late, groupBy } = pipeline
  const definition = {
    name,
    from: { name: from.name, topic: from.topic, fields: from.fields, time: from.time },
    where,
    window,
    watermark: { futureBoundMs: watermark.futureBoundMs },
    late,
    groupBy: Object.fromEntries(
      Object.entries(groupBy).map(([group, { expression, type }]) => [group, { expression, type }]),
    ),
  }
  return isPipelineDefinition(definition) ? definition : undefined
}

/** Whether something is a pipeline that this version understands wholly: of one that says more, nothing can be told. */
export function isPipelineDefinition(value: unknown): value is PipelineDefinition {
  if (!isJsonObject(value)) return false
  const { name, from, where, window, watermark, late, groupBy } = value
  return (
    hasOnly(value, 'name', 'from', 'where', 'window', 'watermark', 'late', 'groupBy') &&
    typeof name === 'string' &&
    isSource(from) &&
    (where === undefined || isExpression(where)) &&
    isWindow(window) &&
    isWatermark(watermark) &&
    isLatePolicy(late) &&
    isRecordOf(groupBy, isGroup)
  )
}

type Member = JsonValue | undefined

function isSource(value: Member): boolean {
  if (!isJsonObject(value) || !hasOnly(value, 'name', 'topic', 'fields', 'time')) return false
  const { name, topic, fields, time } = value
  const isNamed = typeof name === 'string' && typeof topic === 'string'
  return isNamed && isRecordOf(fields, isField) && (time === undefined || isPointer(time))
}

function isRecordOf(value: Member, is: (member: JsonValue) => boolean): boolean {
  return isJsonObject(value) && Object.values(value).every(is)
}

function isField(value: JsonValue): boolean {
  if (!isJsonObject(value) || !hasOnly(value, ...fieldMembers)) return false
  return isOneOf(fieldTypes, value['type']) && typeof value['nullable'] === 'boolean'
}

const fieldMembers = ['type', 'nullable'] as const satisfies readonly (keyof Field)[]

function isWatermark(value: Member): boolean {
  if (!isJsonObject(value) || !hasOnly(value, 'futureBoundMs')) return false
  return value['futureBoundMs'] === undefined || isMilliseconds(value['futureBoundMs'])
}

function isLatePolicy(value: Member): boolean {
  if (!isJsonObject(value)) return false
  if (value['kind'] !== 'correct') return isBeyond(value)
  return hasOnly(value, 'kind', 'withinMs', 'beyond') && isMilliseconds(value['withinMs']) && isBeyond(value['beyond'])
}

function isBeyond(value: Member): boolean {
  return isJsonObject(value) && hasOnly(value, 'kind') && isOneOf(['drop', 'to-topic'], value['kind'])
}

function isGroup(value: JsonValue): boolean {
  if (!isJsonObject(value) || !hasOnly(value, 'expression', 'type')) return false
  return isExpression(value['expression']) && isOneOf(fieldTypes, value['type'])
}

function isExpression(value: Member, depth = 0): boolean {
  if (!isJsonObject(value) || depth >= depthMax) return false
  const isOperand = (operand: Member) => isExpression(operand, depth + 1)
  const { name, type, value: literal, operator, left, right, operand, operands } = value
  switch (value['kind']) {
    case 'field':
      return hasOnly(value, 'kind', 'name', 'type') && typeof name === 'string' && isOneOf(fieldTypes, type)
    case 'literal':
      return hasOnly(value, 'kind', 'value') && isScalar(literal)
    case 'compare':
      if (!hasOnly(value, 'kind', 'operator', 'left', 'right')) return false
      return isOneOf(comparisons, operator) && isOperand(left) && isOperand(right)
    case 'arithmetic':
      if (!hasOnly(value, 'kind', 'operator', 'left', 'right', 'type') || !isOneOf(numerics, type)) return false
      return isOneOf(arithmetics, operator) && isOperand(left) && isOperand(right)
    case 'and':
    case 'or':
      return hasOnly(value, 'kind', 'operands') && isJsonArray(operands) && operands.every(isOperand)
    case 'not':
    case 'is-null':
      return hasOnly(value, 'kind', 'operand') && isOperand(operand)
    default:
      return false
  }
}

const fieldTypes: readonly FieldType[] = ['string', 'number', 'integer', 'boolean', 'timestamp']
const numerics: readonly FieldType[] = ['number', 'integer']
const comparisons: readonly Comparison[] = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte']
const arithmetics: readonly Arithmetic[] = ['plus', 'minus', 'times', 'divided-by']

function isOneOf(values: readonly string[], value: Member): boolean {
  return typeof value === 'string' && values.includes(value)
}

/** A number that JSON cannot hold is none here either: the catalog would have another than was declared. */
function isScalar(value: Member): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}
