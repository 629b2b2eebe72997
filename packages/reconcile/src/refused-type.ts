import type { Violation } from '@millrace/core/cloud-event'
import { MillraceError } from '@millrace/core/errors'

/** An event type cannot be as it is declared: for what it is itself, or for what there is already. */
export class RefusedType extends MillraceError {
  readonly kind: 'unusable' | 'conflict'
  /** Pointers lead into the declaration. */
  readonly violations: readonly Violation[]

  constructor(kind: 'unusable' | 'conflict', detail: string, violations: readonly Violation[]) {
    super('event-type.refused', detail)
    this.kind = kind
    this.violations = violations
  }
}
