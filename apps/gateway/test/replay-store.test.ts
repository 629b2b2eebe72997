import { MillraceError } from '@millrace/core/errors'
import { fingerprintHeader } from '@millrace/core/kafka-binding'
import type { DeadLetter } from '@millrace/core/read-dead-letter'
import type { ReplayLog } from '@millrace/kafka/replay-log'
import { expect, test } from 'vitest'
import { createIdentities } from '../src/identities.ts'
import type { Ready } from '../src/replay-judge.ts'
import { storeReplays } from '../src/replay-store.ts'

const fingerprint = '0123456789abcdef0123456789abcdef'

function letter(id: string, by = 'worker/bill'): Ready {
  const said: DeadLetter = {
    ...{ by, reason: 'timeout', detail: '', pointer: undefined, attempts: 1, firstFailedAtMs: 0, failedAtMs: 0 },
    ...{ replays: 0, sealed: undefined },
    origin: { topic: 't', partition: 0, offset: 1n, timestampMs: 0 },
  }
  const headers = new Map([
    ['ce_id', id],
    ['ce_source', '/s'],
    [fingerprintHeader, fingerprint],
  ])
  const record = { topic: 't', value: Buffer.from(id), headers, timestampMs: Date.now() }
  return { outcome: 'ready', letter: said, key: `key of ${id}`, record, schemaId: 1 }
}

/** A log in which nobody else has claimed anything but `taken`, and what was written to it. */
function openLog(taken: readonly string[] = []) {
  const written: Record<'done' | 'released', string[]> = { done: [], released: [] }
  const log: ReplayLog = {
    stateOf: () => 'free',
    claim: (letters) => Promise.resolve(new Set(letters.filter((one) => !taken.includes(one)))),
    done: (letters) => Promise.resolve(void written.done.push(...letters)),
    release: (letters) => Promise.resolve(void written.released.push(...letters)),
    close: () => Promise.resolve(),
  }
  return { log, written }
}

/** What the cluster answers to each record, by its id. */
function storeThat(answers: Readonly<Record<string, 'kafka.unfit' | 'kafka.not-confirmed'>> = {}) {
  const identities = createIdentities({ identitiesMax: 10, windowMs: 60_000 })
  const sent: string[] = []
  const send = ({ value }: { readonly value: Buffer | null }) => {
    const code = answers[String(value)]
    sent.push(String(value))
    return code ? Promise.reject(new MillraceError(code, code)) : Promise.resolve({ partition: 0, offset: 5n })
  }
  return { sent, identities, store: { producer: { send }, identities, onFault: () => undefined } }
}

const outcomes = (results: readonly { readonly outcome: string }[]) => results.map(({ outcome }) => outcome)

test('what is stored is done, what is refused is given back, and what may be stored stays claimed', async () => {
  const { log, written } = openLog(['key of taken'])
  const { store, sent } = storeThat({ unfit: 'kafka.unfit', lost: 'kafka.not-confirmed' })
  const batch = ['good', 'unfit', 'lost', 'taken'].map((id) => letter(id))
  expect(outcomes(await storeReplays(batch, log, store))).toEqual(['replayed', 'failed', 'unconfirmed', 'already'])
  expect(sent).toEqual(['good', 'unfit', 'lost'])
  expect(written).toEqual({ done: ['key of good'], released: ['key of unfit'] })
})

test('what the gateway gave up is not stored beside a retry of it, stored or under way', async () => {
  const { log, written } = openLog()
  const { store, identities, sent } = storeThat()
  const claimed = ['stored', 'waiting'].map((id) => identities.claim({ source: '/s', id, fingerprint }))
  const [stored] = claimed
  if (stored?.kind !== 'first') throw new Error('nobody sent it before')
  stored.stored({ topic: 't', partition: 0, offset: 1, timestampMs: Date.now(), schemaId: 1 })
  const batch = ['stored', 'waiting', 'new'].map((id) => letter(id, 'gateway'))
  expect(outcomes(await storeReplays(batch, log, store))).toEqual(['already', 'failed', 'replayed'])
  expect(sent).toEqual(['new'])
  expect(written).toEqual({ done: ['key of new', 'key of stored'], released: ['key of waiting'] })
  expect(identities.claim({ source: '/s', id: 'new', fingerprint })).toMatchObject({ kind: 'known', same: true })
})

test('a note that cannot be written does not make of what is stored something that is not', async () => {
  const { log } = openLog()
  const { store } = storeThat()
  const faults: unknown[] = []
  const failing = { ...log, done: () => Promise.reject(new MillraceError('kafka.unavailable', 'away')) }
  const results = await storeReplays([letter('a')], failing, { ...store, onFault: (error) => faults.push(error) })
  expect(outcomes(results)).toEqual(['replayed'])
  expect(faults).toHaveLength(1)
})
