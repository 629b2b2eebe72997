/** Faults that a gateway, a producer or a broker may have, planted into an honest history: each is one of those that lose or double events. */
import type { LedgerOutcome } from '../src/ledger.ts'
import type { Attempt, History, Stored } from './history.ts'
import { sha256 } from './history.ts'

export type Fault = {
  readonly fault: string
  /** The check that finds it. */
  readonly check: string
  readonly plant: (history: History) => void
}

const accepted = ({ attempts }: History): Attempt[] => attempts.filter(({ outcome }) => outcome?.status === 'accepted')

/** The accepted attempt of an event that was sent once, some way into the history. */
function plain(history: History, skip = 20): Attempt {
  const times = new Map<string, number>()
  for (const { id } of history.attempts) times.set(id, (times.get(id) ?? 0) + 1)
  const found = accepted(history).filter(({ id }) => times.get(id) === 1)[skip]
  if (!found) throw new Error('no event was sent once')
  return found
}

function recordOf({ topic }: History, id: string): Stored {
  const found = topic.find((record) => record.id === id)
  if (!found) throw new Error(`${id} is not stored`)
  return found
}

function lose(history: History, lost: (record: Stored, index: number) => boolean): void {
  history.topic.splice(0, Infinity, ...history.topic.filter((record, index) => !lost(record, index)))
}

function answerOf(attempt: Attempt): { partition: number; offset: number } {
  const { outcome } = attempt
  if (!outcome || !('offset' in outcome)) throw new Error('it was not acknowledged')
  return { partition: outcome.partition, offset: outcome.offset }
}

function answer(attempt: Attempt, change: { partition?: number; offset?: number; id?: string }): void {
  attempt.outcome = Object.assign({}, attempt.outcome, change)
}

function append(history: History, id: string, change: Partial<Stored> = {}): void {
  const record = { ...recordOf(history, id), ...change }
  const offset = Math.max(...history.topic.filter((one) => one.partition === record.partition).map((one) => one.offset))
  history.topic.push({ ...record, offset: offset + 1 })
}

function copiesOf({ topic }: History, id: string): Stored[] {
  return topic.filter((record) => record.id === id)
}

/** Long after everything else. */
function endMs({ attempts }: History): number {
  return Math.max(...attempts.map(({ answeredMs }) => answeredMs)) + 60_000
}

function sendAgain(history: History, id: string, outcome: LedgerOutcome): void {
  const sentMs = endMs(history)
  history.attempts.push({ request: 'again', id, data: recordOf(history, id).data, sentMs, answeredMs: sentMs, outcome })
}

/** Two events of one key, each sent once, one after the other. */
function neighbours(history: History): [Stored, Stored] {
  const first = recordOf(history, plain(history).id)
  const later = accepted(history)
    .map(({ id }) => recordOf(history, id))
    .find(({ key, offset }) => key === first.key && offset > first.offset)
  if (!later) throw new Error('its key has no other')
  return [first, later]
}

export const faults: readonly Fault[] = [
  {
    fault: 'acknowledged before it was written, and then not written',
    check: 'acknowledged-is-stored',
    plant: (history) => lose(history, ({ id }) => id === plain(history).id),
  },
  {
    fault: 'one in a hundred records is dropped',
    check: 'acknowledged-is-stored',
    plant: (history) => lose(history, (_record, index) => index % 100 === 50),
  },
  {
    fault: 'the end of a partition is lost with its leader',
    check: 'acknowledged-is-stored',
    plant: (history) => lose(history, ({ partition, offset }) => partition === 2 && offset > 15),
  },
  {
    fault: 'the offset is one too high',
    check: 'acknowledged-is-stored',
    plant: (history) => answer(plain(history), { offset: answerOf(plain(history)).offset + 1 }),
  },
  {
    fault: 'the offset is that of the batch, for every event of it',
    check: 'a-place-is-claimed-once',
    plant: (history) => {
      const [one, other] = [plain(history), plain(history, 21)]
      answer(other, answerOf(one))
    },
  },
  {
    fault: 'the partition is another',
    check: 'acknowledged-is-stored',
    plant: (history) => answer(plain(history), { partition: (answerOf(plain(history)).partition + 1) % 6 }),
  },
  {
    fault: 'two answers of a batch are swapped',
    check: 'acknowledged-is-stored',
    plant: (history) => {
      const [one, other] = [plain(history), plain(history, 21)]
      const place = answerOf(one)
      answer(one, answerOf(other))
      answer(other, place)
    },
  },
  {
    fault: 'the producer writes a batch twice',
    check: 'copies-are-explained',
    plant: (history) => append(history, plain(history).id),
  },
  {
    fault: 'a retry that was recognised is written all the same',
    check: 'copies-are-explained',
    plant: (history) => {
      const { id } = plain(history)
      const { data } = recordOf(history, id)
      const place = answerOf(plain(history))
      const outcome = { status: 'duplicate', id, ...place, sha256: sha256(data) } as const
      sendAgain(history, id, outcome)
      append(history, id)
    },
  },
  {
    fault: 'what never left is written',
    check: 'refused-is-not-stored',
    plant: (history) => {
      const { id } = plain(history)
      for (const attempt of history.attempts) {
        if (attempt.id === id) attempt.outcome = { status: 'unsent', id, detail: 'connect ECONNREFUSED' }
      }
    },
  },
  {
    fault: 'an event is written twice of which one attempt never left',
    check: 'copies-are-explained',
    plant: (history) => {
      const { id } = plain(history)
      sendAgain(history, id, { status: 'unsent', id, detail: 'connect ECONNREFUSED' })
      append(history, id)
    },
  },
  {
    fault: 'a late retry is written again, and taken for new',
    check: 'a-retry-is-recognised',
    plant: (history) => {
      const { id } = plain(history)
      append(history, id, { timestampMs: endMs(history) })
      const { partition, offset, data } = copiesOf(history, id).at(-1) ?? recordOf(history, id)
      sendAgain(history, id, { status: 'accepted', partition, offset, id, sha256: sha256(data) })
    },
  },
  {
    fault: 'a late retry is told the copy with the lower offset, which was written later',
    check: 'a-retry-is-recognised',
    plant: (history) => {
      const told = history.attempts.findLast(
        ({ id, outcome }) => outcome?.status === 'duplicate' && copiesOf(history, id).length > 1,
      )
      const other = told && copiesOf(history, told.id).find(({ offset }) => offset !== answerOf(told).offset)
      if (!told || !other) throw new Error('nothing was written by two at once')
      answer(told, { offset: other.offset })
    },
  },
  {
    fault: 'what was refused is written',
    check: 'refused-is-not-stored',
    plant: (history) => {
      const refused = history.attempts.find(({ outcome }) => outcome?.status === 'rejected')
      if (!refused) throw new Error('nothing was refused')
      append(history, plain(history).id, { id: refused.id, data: refused.data })
    },
  },
  {
    fault: 'a byte is changed on the way',
    check: 'acknowledged-is-stored',
    plant: (history) => {
      recordOf(history, plain(history).id).data += ' '
    },
  },
  {
    fault: 'what nobody confirmed is written with other bytes',
    check: 'stored-was-sent',
    plant: (history) => {
      const { id } = plain(history)
      for (const attempt of history.attempts) {
        if (attempt.id === id) attempt.outcome = { status: 'unconfirmed', id, detail: '503' }
      }
      recordOf(history, id).data = '{}'
    },
  },
  {
    fault: 'the events of two requests swap their data',
    check: 'stored-was-sent',
    plant: (history) => {
      const [one, other] = [recordOf(history, plain(history).id), recordOf(history, plain(history, 21).id)]
      const data = one.data
      one.data = other.data
      other.data = data
    },
  },
  {
    fault: 'an event has the id of another',
    check: 'acknowledged-is-stored',
    plant: (history) => {
      recordOf(history, plain(history).id).id = plain(history, 21).id
    },
  },
  {
    fault: 'an event loses its source',
    check: 'acknowledged-is-stored',
    plant: (history) => {
      recordOf(history, plain(history).id).source = '/elsewhere'
    },
  },
  {
    fault: 'there is an event that nobody sent',
    check: 'stored-was-sent',
    plant: (history) => append(history, plain(history).id, { id: 'nobody' }),
  },
  {
    fault: 'two events of a key are written in the other order',
    check: 'a-key-keeps-its-order',
    plant: (history) => {
      const [first, later] = neighbours(history)
      const places = [first.offset, later.offset] as const
      first.offset = places[1]
      later.offset = places[0]
      for (const attempt of history.attempts) {
        if (attempt.id === first.id) answer(attempt, { offset: first.offset })
        if (attempt.id === later.id) answer(attempt, { offset: later.offset })
      }
    },
  },
  {
    fault: 'a key moves to another partition',
    check: 'a-key-keeps-its-partition',
    plant: (history) => {
      const moved = recordOf(history, plain(history).id)
      moved.partition = (moved.partition + 1) % 6
    },
  },
  {
    fault: 'a record loses its key',
    check: 'a-key-is-kept',
    plant: (history) => {
      recordOf(history, plain(history).id).key = undefined
    },
  },
  {
    fault: 'an event is written with the key of another',
    check: 'a-key-is-kept',
    plant: (history) => {
      recordOf(history, plain(history).id).key = 'another'
    },
  },
  {
    fault: 'there is a record that says nothing of where it comes from',
    check: 'stored-was-sent',
    plant: (history) => append(history, plain(history).id, { source: undefined }),
  },
  {
    fault: 'a copy goes to another partition',
    check: 'copies-are-identical',
    plant: (history) => {
      const { id, partition } = recordOf(history, plain(history).id)
      append(history, id, { partition: (partition + 1) % 6 })
    },
  },
  {
    fault: 'a copy has other content',
    check: 'copies-are-identical',
    plant: (history) => append(history, plain(history).id, { data: '{}' }),
  },
  {
    fault: 'a copy loses its key',
    check: 'copies-are-identical',
    plant: (history) => append(history, plain(history).id, { key: undefined }),
  },
  {
    fault: 'a request is never answered',
    check: 'every-sending-is-answered',
    plant: (history) => {
      plain(history).outcome = undefined
    },
  },
]
