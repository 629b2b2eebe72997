import { isJsonObject, type JsonValue } from '@millrace/core/json'
import type { FuncKeywordDefinition, SchemaValidateFunction } from 'ajv'
import type { WorkBudget } from './work-budget.ts'

const unitsPerItem = 24
const unitsPerPart = 400
const unitsPerInner = 8
const unitsPerName = 100

/** Items are compared by their canonical text: the validator's own comparison of each with each takes the square of their number. */
export function uniqueItems(budget: WorkBudget): FuncKeywordDefinition {
  const validate: SchemaValidateFunction = (wanted: boolean, items: readonly JsonValue[]) => {
    if (!wanted) return true
    const scalars = new Map<JsonValue, number>()
    const parts = new Map<string, number>()
    for (const [index, item] of items.entries()) {
      const first =
        typeof item === 'object' && item !== null
          ? seenAt(parts, partOf(item, budget), index)
          : seenAt(scalars, scalar(item, budget), index)
      if (first === undefined) continue
      validate.errors = [{ keyword: 'uniqueItems', params: { i: index, j: first } }]
      return false
    }
    return true
  }
  return { keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', errors: true, validate }
}

/** Where a key was seen before; else it is seen here. */
function seenAt<K>(seen: Map<K, number>, key: K, index: number): number | undefined {
  const first = seen.get(key)
  if (first === undefined) seen.set(key, index)
  return first
}

function scalar(item: JsonValue, budget: WorkBudget): JsonValue {
  budget.spend(unitsPerItem + (typeof item === 'string' ? item.length : 0))
  return item
}

function partOf(item: JsonValue, budget: WorkBudget): string {
  budget.spend(unitsPerPart)
  return canonical(item, budget)
}

function canonical(value: JsonValue, budget: WorkBudget): string {
  if (Array.isArray(value)) {
    budget.spend(unitsPerInner * value.length)
    const items: readonly JsonValue[] = value
    return `[${items.map((item) => canonical(item, budget)).join()}]`
  }
  if (!isJsonObject(value)) {
    if (typeof value === 'string') budget.spend(value.length)
    return JSON.stringify(value)
  }
  budget.spendMembers(value, 1)
  const names = Object.keys(value).sort()
  budget.spend(unitsPerName * names.length)
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null, budget)}`).join()}}`
}
