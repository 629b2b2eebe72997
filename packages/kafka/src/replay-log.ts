/**
 * Which dead letters were replayed, so that none is twice: the topic `millrace-replays`, compacted, read whole by whoever replays. Who wants
 * to replay a letter claims it first; of several claims the first in the log is good, and the log is the same for everybody. When the
 * record is stored the letter is done. A claim that comes to nothing (its process died, or was not told what became of the record) is good
 * for `claimMs`: then the letter may be claimed again, and its record may be there twice, under one identity.
 */
import { randomUUID } from 'node:crypto'
import { isJsonObject, parsedJson } from '@millrace/core/json'
import { replaysTopic } from '@millrace/core/replay'
import type { KafkaConnection } from './connection.ts'
import { within } from './deadline.ts'
import type { StoredRecord } from './fetch.ts'
import type { Producer } from './producer.ts'
import { followWholeTopic, type WholeTopic } from './whole-topic.ts'

/** What is known of a letter: nobody replays it, somebody does, or somebody did. */
export type ReplayState = 'free' | 'claimed' | 'done'

/** All throw MillraceError 'kafka.unavailable' | 'kafka.not-confirmed' | 'kafka.refused' | 'kafka.unknown-topic'. */
export type ReplayLog = {
  readonly stateOf: (letter: string) => ReplayState
  /** Claims letters; those of them that are the caller's now. */
  readonly claim: (letters: readonly string[]) => Promise<ReadonlySet<string>>
  /** Says of claimed letters that their records are stored. */
  readonly done: (letters: readonly string[]) => Promise<void>
  /** Gives claimed letters back whose records are surely not stored. */
  readonly release: (letters: readonly string[]) => Promise<void>
  readonly close: () => Promise<void>
}

export const claimMs = 60_000
/** The oldest make room. */
const lettersMax = 1_000_000
const catchUpTimeoutMs = 20_000
const reachTimeoutMs = 5_000

type Known = { readonly state: 'claimed' | 'done'; readonly by: string; readonly atMs: number }

/** What the records say, in their order. */
export function createReplayStates(): {
  readonly apply: (record: Pick<StoredRecord, 'key' | 'value' | 'timestampMs'>) => void
  readonly find: (letter: string) => Known | undefined
} {
  const letters = new Map<string, Known>()
  return {
    find: (letter) => letters.get(letter),
    apply: ({ key, value, timestampMs: atMs }) => {
      const letter = key?.toString() ?? ''
      const said = value === null ? undefined : parsed(value)
      const known = letters.get(letter)
      if (!said || known?.state === 'done') return
      if (said.state === 'released') {
        if (known?.by === said.by) letters.delete(letter)
        return
      }
      const isTaken = known !== undefined && atMs - known.atMs < claimMs
      if (said.state === 'claimed' && isTaken) return
      letters.delete(letter)
      letters.set(letter, { state: said.state, by: said.by, atMs })
      for (const oldest of letters.keys()) {
        if (letters.size <= lettersMax) return
        letters.delete(oldest)
      }
    },
  }
}

/** Reads what was replayed, and follows it. */
export async function openReplayLog(connection: KafkaConnection, producer: Pick<Producer, 'send'>): Promise<ReplayLog> {
  const by = randomUUID()
  const states = createReplayStates()
  const topic = await followWholeTopic(connection, replaysTopic, { onRecord: states.apply }, catchUpTimeoutMs)
  const write = (letters: readonly string[], state: Said['state']) => writeAll(producer, topic, letters, { state, by })
  return {
    stateOf: (letter) => {
      const known = states.find(letter)
      if (known?.state === 'claimed' && Date.now() - known.atMs >= claimMs) return 'free'
      return known?.state ?? 'free'
    },
    claim: async (letters) => {
      await write(letters, 'claimed')
      return new Set(
        letters.filter((letter) => states.find(letter)?.by === by && states.find(letter)?.state === 'claimed'),
      )
    },
    done: (letters) => write(letters, 'done'),
    release: (letters) => write(letters, 'released'),
    close: topic.close,
  }
}

type Said = { readonly state: 'claimed' | 'done' | 'released'; readonly by: string }

/** Resolves when the records are stored, and read back. */
async function writeAll(
  producer: Pick<Producer, 'send'>,
  topic: WholeTopic,
  letters: readonly string[],
  said: Said,
): Promise<void> {
  const value = Buffer.from(JSON.stringify(said))
  const stored = await Promise.all(
    letters.map((letter) =>
      producer.send({
        topic: replaysTopic,
        key: Buffer.from(letter),
        value,
        headers: new Map(),
        timestampMs: Date.now(),
      }),
    ),
  )
  const last = stored.reduce((most, { offset }) => (offset > most ? offset : most), -1n)
  await within(reachTimeoutMs, 'reading back what was written of a replay', topic.passed(last))
}

function parsed(value: Buffer): Said | undefined {
  const said = parsedJson(value.toString())
  if (!isJsonObject(said) || typeof said['by'] !== 'string') return undefined
  const { state, by } = said
  return state === 'claimed' || state === 'done' || state === 'released' ? { state, by } : undefined
}
