/** Who changed the catalog, what, and how it ended: one structured line each, the refused and the failed too. */
import type { CatalogEntry } from '@millrace/core/catalog'
import type { Logger } from '@millrace/service/logger'
import { ProblemError } from './problem.ts'

type CatalogChange = {
  /** The subject of the token: never the token. */
  readonly subject: string
  readonly type: string
  readonly before: CatalogEntry | undefined
  readonly after?: CatalogEntry
  readonly outcome: 'created' | 'evolved' | 'unchanged' | 'refused' | 'failed'
  readonly status: number
  readonly detail?: string
}

export type Audit = (change: CatalogChange) => void

const detailLengthMax = 500

export function createAudit(logger: Pick<Logger, 'info'>): Audit {
  return ({ before, after, detail, ...change }) => {
    const told = { before: before && stateOf(before), after: after && stateOf(after) }
    logger.info(
      { audit: true, action: 'event-type.put', ...change, ...told, detail: detail?.slice(0, detailLengthMax) },
      `${change.subject} put the event type ${change.type}: ${change.outcome}`,
    )
  }
}

/** How a refusal or a failure ends up in the audit log: what is no problem of the request's is a failure of ours. */
export function refusalOf(error: unknown): Pick<CatalogChange, 'outcome' | 'status' | 'detail'> {
  if (error instanceof ProblemError) {
    const { status, detail } = error.problem
    return { outcome: status < 500 ? 'refused' : 'failed', status, detail }
  }
  return { outcome: 'failed', status: 503, detail: error instanceof Error ? error.message : String(error) }
}

/** An entry without its schema, which the registry has under its id. */
function stateOf(entry: CatalogEntry) {
  const { format, topic, key, time, partitions, retentionMs, compacted, compatibility, schemaId, version, sensitive } =
    entry
  const references = entry.references.map(({ subject, version: of }) => `${subject}/${of}`)
  const settings = { key, time, partitions, retentionMs, compacted, compatibility, references, sensitive }
  return { format, topic, schemaId, version, ...settings }
}
