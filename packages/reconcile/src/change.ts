/** One difference between what should be and what is, and what closes it. */
export type Change = {
  readonly resource: 'topic' | 'acl' | 'user' | 'schema' | 'event-type' | 'table' | 'connector' | 'job'
  readonly name: string
  readonly action: 'create' | 'update' | 'delete'
  /** What differs, for a person. */
  readonly detail: string
  readonly apply: () => Promise<void>
}

/** Makes the changes one after the other, in the order of the plan; `report` is told before each. */
export async function applyChanges(changes: readonly Change[], report: (change: Change) => void): Promise<void> {
  for (const change of changes) {
    report(change)
    await change.apply()
  }
}
