/** What a candidate did wrong, by the ledger. */
import type { Check } from '@millrace/ledger/check'
import { openDatabase } from '@millrace/ledger/database'
import { type Delivery, judgeDelivery } from '@millrace/ledger/delivery'

/** Numbers of records. */
export type ClientVerdict = {
  readonly acknowledged: number
  /** Of which the client said that it could not confirm them: stored or not. */
  readonly unconfirmed: number
  /** Of which it said nothing. */
  readonly unanswered: number
  /** Acknowledged, and not in the topic. */
  readonly lost: number
  /** Stored more than once, though sent once: those beyond the first. */
  readonly copies: number
  /** Acknowledged and in the topic, and not at the partition and offset that were told. */
  readonly misplaced: number
  /** Acknowledged, and stored behind a record of their key that was sent later. */
  readonly disordered: number
  /** Other checks of the ledger that do not hold. */
  readonly others: readonly string[]
}

const isThere: Check = {
  name: 'acknowledged-is-there',
  says: 'every acknowledged record is in the topic',
  compared: `SELECT count(*) FROM ledger WHERE status = 'accepted'`,
  differing: `SELECT id FROM ledger WHERE status = 'accepted' AND id NOT IN (SELECT id FROM topic WHERE id IS NOT NULL)`,
}
/** A record that is lost has no place, and two that are given one place are not both there: these checks say the same again. */
const told = {
  lost: isThere.name,
  stored: 'acknowledged-is-stored',
  disordered: 'a-key-keeps-its-order',
  unanswered: 'every-sending-is-answered',
  copies: 'copies-are-explained',
  claimedTwice: 'a-place-is-claimed-once',
} as const
const toldNames: ReadonlySet<string> = new Set(Object.values(told))
/** Nothing is sent again, so there is nothing to recognise: at no time. */
const recognisedAfterMs = Number.MAX_SAFE_INTEGER

/** @param databaseFile where the verdict keeps its tables; it must not be there yet */
export async function judgeClient(
  databaseFile: string,
  delivery: Pick<Delivery, 'ledgerFile' | 'topicFile' | 'source' | 'keyOfId'>,
): Promise<ClientVerdict> {
  const database = await openDatabase(databaseFile)
  try {
    const verdict = await judgeDelivery(database, { ...delivery, recognisedAfterMs, checks: [isThere] })
    const { acknowledged, unconfirmed, copies, checks } = verdict
    const differing = (name: string) => checks.find((check) => check.name === name)?.differing ?? NaN
    const lost = differing(told.lost)
    return {
      ...{ acknowledged, unconfirmed, copies, lost },
      unanswered: differing(told.unanswered),
      misplaced: differing(told.stored) - lost,
      disordered: differing(told.disordered),
      others: checks.filter(({ name, ok }) => !ok && !toldNames.has(name)).map(({ name }) => name),
    }
  } finally {
    database.close()
  }
}
