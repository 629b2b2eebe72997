import { type Pipeline, pipelineReader } from '@millrace/core/pipeline'
import type { Window } from '@millrace/core/window'

/**
 * What DuckDB computes for a pipeline, written by hand: what the platform makes of the definition is what is judged. Of the definition
 * the verdict takes names and times alone.
 */
type Recomputation = {
  readonly check: { readonly name: string; readonly says: string }
  /** The column of events by which it groups; in results it is `group_value`, in their JSON the field of its name. */
  readonly group: 'origin' | 'destination' | 'state'
  /** Columns of results → SQL over events, one aggregate function each. */
  readonly aggregates: Readonly<Record<string, string>>
}

const recomputations: ReadonlyMap<string, Recomputation> = new Map([
  [
    'departures-per-airport',
    {
      check: {
        name: 'windows-equal-recomputation',
        says: 'every closed window has the result that DuckDB computes from the topic without the late events, and there is no other result',
      },
      group: 'origin',
      aggregates: { flights: 'count(*)', distance: 'sum(distance)', mean_delay: 'avg(delay)' },
    },
  ],
  [
    'flights-per-destination',
    {
      check: {
        name: 'sliding-equal-recomputation',
        says: 'so has every window that slides, without the events that missed it',
      },
      group: 'destination',
      aggregates: { flights: 'count(*)', origins: 'count(DISTINCT origin)', longest: 'max(distance)' },
    },
  ],
  [
    'departure-waves',
    {
      check: {
        name: 'sessions-equal-recomputation',
        says: 'so has every session, from its first event to the gap after its last',
      },
      group: 'origin',
      aggregates: { flights: 'count(*)', distance: 'sum(distance)' },
    },
  ],
  [
    'delay-per-airport',
    {
      check: {
        name: 'corrections-equal-recomputation',
        says: 'the newest revision of every closed window that is corrected is what DuckDB computes with its late events, and there is no other',
      },
      group: 'origin',
      aggregates: { flights: 'count(*)', mean_delay: 'avg(delay)', worst_delay: 'max(delay)' },
    },
  ],
  [
    'departures-per-state',
    {
      check: {
        name: 'states-equal-recomputation',
        says: 'every closed window has the result of a state that DuckDB computes by joining the airports, and there is no other',
      },
      group: 'state',
      aggregates: { flights: 'count(*)', distance: 'sum(distance)' },
    },
  ],
])

/** What the checks have to know of a pipeline. */
export type Semantics = Recomputation & {
  readonly pipeline: string
  /** As whom it accounts for events. */
  readonly reader: string
  readonly partitions: number
  readonly window: Window
  readonly outOfOrdernessMs: number
  /** How long after its end the result of a window is corrected; 0: never. */
  readonly correctedForMs: number
}

/** @throws RangeError for a pipeline that the verdict does not recompute */
export function semanticsOf({ name, from, window, watermark, late }: Pipeline): Semantics {
  const recomputation = recomputations.get(name)
  if (recomputation === undefined) throw new RangeError(`the verdict does not recompute the pipeline ${name}`)
  return {
    ...recomputation,
    pipeline: name,
    reader: pipelineReader(name),
    partitions: from.partitions,
    window,
    outOfOrdernessMs: watermark.outOfOrdernessMs,
    correctedForMs: late.kind === 'correct' ? late.withinMs : 0,
  }
}

/** What is judged. */
export type Judged = {
  /** Of the events that the pipelines read. */
  readonly eventTopic: string
  /** The CloudEvents source of the ledger's events. */
  readonly source: string
  readonly pipelines: readonly Semantics[]
  /** The name of the pipeline whose results the warehouse has. */
  readonly loaded: string
  /** Whether a job that corrects results may have begun again from a checkpoint. */
  readonly beganAgain: boolean
}
