import { valueText } from './evaluate-aggregate.ts'
import { evaluateExpression } from './evaluate-expression.ts'
import type { EventRow } from './event-row.ts'
import type { PipelineDefinition } from './pipeline-definition.ts'

/** The values that an event is grouped by, by the names that they have in the result. */
export function groupOf(groupBy: PipelineDefinition['groupBy'], row: EventRow): EventRow {
  return new Map(Object.entries(groupBy).map(([name, { expression }]) => [name, evaluateExpression(expression, row)]))
}

/** The same for the same group, and no other. */
export function groupText(group: EventRow): string {
  return [...group.values()].map(valueText).join()
}
