import type { Check } from '@millrace/ledger/check'
import { accountChecks } from './account-checks.ts'
import { eventChecks } from './event-checks.ts'
import { resultChecks } from './result-checks.ts'
import type { Judged } from './semantics.ts'

/** All checks, nearly in the order in which the data flow. */
export function checksOf(judged: Judged): readonly Check[] {
  return [...eventChecks(judged), ...resultChecks(judged), ...accountChecks(judged)]
}
