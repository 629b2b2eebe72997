/** The windows of a pipeline as Flink keeps them: open until event time passes them, then a result for each group. */
import { evaluateAggregate, type Placed } from './evaluate-aggregate.ts'
import type { EventRow } from './event-row.ts'
import { groupOf, groupText } from './group.ts'
import type { Pipeline } from './pipeline.ts'
import { windowsOf } from './window.ts'

export type WindowResult = {
  readonly windowStartMs: number
  readonly windowEndMs: number
  /** By the names of the result's fields. */
  readonly groups: EventRow
  readonly aggregates: EventRow
  readonly provenance: Provenance
}

/** How a result came about. */
export type Provenance = {
  /** Of two results of a window and group, the one with the greater revision replaces the other. */
  readonly revision: number
  /** The events that it is computed over. */
  readonly events: number
  /** Those among them that came after their window had closed. */
  readonly late: number
  /** Those of its window and group that the filter took out while it was open; `undefined` for sessions, which they are in none of. */
  readonly filtered: number | undefined
  /** The first and the last offset of the events it is computed over, by partition. */
  readonly offsets: ReadonlyMap<number, readonly [first: number, last: number]>
}

type GroupWindow = {
  startMs: number
  endMs: number
  readonly values: EventRow
  readonly events: Placed[]
  filtered: number
  late: number
  /** How many results of it were published. */
  revision: number
}

export class Windows {
  readonly #pipeline: Pipeline
  /** How long windows that have closed are kept to be corrected. */
  readonly #keptMs: number
  /** By the text of a group's values. */
  readonly #groups = new Map<string, GroupWindow[]>()
  readonly #published: WindowResult[] = []
  /** Before event time comes here there is nothing to publish or to forget. */
  #nextMs = Infinity

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline
    this.#keptMs = pipeline.late.kind === 'correct' ? pipeline.late.withinMs : 0
  }

  /** Of windows that have closed, in the order in which they did. */
  get published(): readonly WindowResult[] {
    return this.#published
  }

  /** Of the windows that have not. */
  get open(): WindowResult[] {
    return this.#sorted()
      .filter(({ revision, events }) => revision === 0 && events.length > 0)
      .map((window) => this.#resultOf(window, 1))
  }

  /**
   * Adds an event to those of its windows that are still there.
   * @returns whether there was one
   */
  add(event: Placed, watermarkMs: number): boolean {
    const windows = this.#windowsOf(event, watermarkMs, this.#keptMs)
    for (const window of windows) {
      window.events.push(event)
      if (!isPast(window.endMs, watermarkMs)) continue
      window.late += 1
      this.#publish(window)
    }
    return windows.length > 0
  }

  /** Counts an event that the filter took out of its windows. */
  leaveOut(event: Placed, watermarkMs: number): void {
    if (this.#pipeline.window.kind === 'session') return
    for (const window of this.#windowsOf(event, watermarkMs, 0)) window.filtered += 1
  }

  /** Publishes what event time has passed, and forgets what cannot be corrected any more. */
  advance(watermarkMs: number): void {
    if (!isPast(this.#nextMs, watermarkMs)) return
    for (const window of this.#sorted()) {
      if (window.revision === 0 && window.events.length > 0 && isPast(window.endMs, watermarkMs)) this.#publish(window)
    }
    for (const [key, windows] of this.#groups) {
      const kept = windows.filter(({ endMs }) => !isPast(endMs + this.#keptMs, watermarkMs))
      if (kept.length > 0) this.#groups.set(key, kept)
      else this.#groups.delete(key)
    }
    const ends = [...this.#groups.values()]
      .flat()
      .map(({ endMs, revision }) => endMs + (revision === 0 ? 0 : this.#keptMs))
    this.#nextMs = ends.reduce((least, ms) => Math.min(least, ms), Infinity)
  }

  #publish(window: GroupWindow): void {
    window.revision += 1
    this.#published.push(this.#resultOf(window, window.revision))
  }

  #windowsOf({ row, timeMs }: Placed, watermarkMs: number, keptMs: number): GroupWindow[] {
    const { window, groupBy } = this.#pipeline
    const bounds = windowsOf(window, timeMs).filter(({ endMs }) => !isPast(endMs + keptMs, watermarkMs))
    if (bounds.length === 0) return []
    for (const { endMs } of bounds) this.#nextMs = Math.min(this.#nextMs, endMs)
    const values = groupOf(groupBy, row)
    const key = groupText(values)
    const there = this.#groups.get(key) ?? []
    this.#groups.set(key, there)
    return bounds.map(({ startMs, endMs }) => {
      const empty: GroupWindow = { startMs, endMs, values, events: [], filtered: 0, late: 0, revision: 0 }
      if (window.kind === 'session') return joined(there, empty)
      const same = there.find((one) => one.startMs === startMs)
      if (same) return same
      there.push(empty)
      return empty
    })
  }

  #sorted(): GroupWindow[] {
    return [...this.#groups.values()].flat().sort((one, other) => one.endMs - other.endMs)
  }

  #resultOf(window: GroupWindow, revision: number): WindowResult {
    const { startMs, endMs, values, events, late, filtered } = window
    const aggregates = Object.entries(this.#pipeline.aggregates)
    return {
      windowStartMs: startMs,
      windowEndMs: endMs,
      groups: values,
      aggregates: new Map(aggregates.map(([name, aggregate]) => [name, evaluateAggregate(aggregate, events)])),
      provenance: {
        revision,
        events: events.length,
        late,
        filtered: this.#pipeline.window.kind === 'session' ? undefined : filtered,
        offsets: offsetsOf(events),
      },
    }
  }
}

/** Whether event time has reached the last millisecond before an end. */
function isPast(endMs: number, watermarkMs: number): boolean {
  return endMs - 1 <= watermarkMs
}

/** A session and those that it overlaps or touches are one. */
function joined(there: GroupWindow[], session: GroupWindow): GroupWindow {
  for (const other of there.filter(({ startMs, endMs }) => startMs <= session.endMs && endMs >= session.startMs)) {
    there.splice(there.indexOf(other), 1)
    session.startMs = Math.min(session.startMs, other.startMs)
    session.endMs = Math.max(session.endMs, other.endMs)
    session.events.push(...other.events)
  }
  there.push(session)
  return session
}

function offsetsOf(events: readonly Placed[]): Map<number, readonly [first: number, last: number]> {
  const offsets = new Map<number, readonly [first: number, last: number]>()
  for (const { partition, offset } of events) {
    const [first = offset, last = offset] = offsets.get(partition) ?? []
    offsets.set(partition, [Math.min(first, offset), Math.max(last, offset)])
  }
  return offsets
}
