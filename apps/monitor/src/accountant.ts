/**
 * Keeps the accounting: reads all topics of events, their dead letters and what readers say of themselves, and holds one against the other.
 * What it finds it writes down, and shows as metrics. Whatever goes wrong, it begins again from what is written.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { accountsTopic, parseAccount } from '@millrace/core/account'
import { MillraceError } from '@millrace/core/errors'
import { parsedJson } from '@millrace/core/json'
import type { LedgerTopic } from '@millrace/core/ledger'
import { deadLetterTopic } from '@millrace/core/topic-name'
import type { Admin } from '@millrace/kafka/admin'
import { type CatalogFollower, followCatalog } from '@millrace/kafka/catalog'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { type Follower, openFollower } from '@millrace/kafka/follower'
import type { StoredRecord } from '@millrace/kafka/reader'
import type { Logger } from '@millrace/service/logger'
import { Accounts } from './accounts.ts'
import { type LedgerStore, openLedgerStore } from './ledger-store.ts'
import { sinkPrefix } from './topic-ledger.ts'

export type AccountantOptions = {
  readonly connection: KafkaConnection
  readonly admin: Admin
  readonly logger: Logger
  /** Told of every topic after each look. */
  readonly onLook: (topics: readonly LedgerTopic[]) => void
  /** Another process keeps the accounting now. */
  readonly onFenced: (error: Error) => void
}

const lookMs = 2_000
const againMs = 1_000
/** How often memory is given back: at the second time for the first look, since readers' accounts come in any order. */
const releaseMs = 30_000
const followAgainMs = 20_000
/** A reader whose group is gone for so long is none any more. */
const goneMs = 600_000

/** Begins, and begins again whenever it cannot go on. */
export function keepAccounts(options: AccountantOptions): { readonly close: () => Promise<void> } {
  const stop = new AbortController()
  const keep = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await keepOnce(options, stop.signal)
      } catch (error) {
        if (error instanceof MillraceError && error.code === 'kafka.fenced') {
          options.onFenced(error)
          return
        }
        options.logger.warn({ err: error }, 'the accounting begins again from what is written')
        await sleep(againMs, undefined, { signal: stop.signal }).catch(() => undefined)
      }
    }
  }
  const kept = keep()
  return {
    close: async () => {
      stop.abort()
      await kept
    },
  }
}

async function keepOnce(options: AccountantOptions, signal: AbortSignal): Promise<void> {
  const { connection, logger } = options
  await using opened = new AsyncDisposableStack()
  // What fails when it is closed must not hide why it was.
  const close = (open: { readonly close: () => Promise<void> }) =>
    open.close().catch((error: unknown) => logger.warn({ err: error }, 'the accounting was not closed well'))
  const store = opened.adopt(await openLedgerStore(connection), close)
  const onTrouble = (error: MillraceError) => logger.warn({ err: error }, 'topics cannot be counted at the moment')
  const catalog = opened.adopt(await followCatalog(connection, { onTrouble }), close)
  const accounts = new Accounts(store.read, (what, details) => logger.error(details, what))
  const follower: Follower = opened.adopt(
    openFollower(connection, {
      ...{ onRecords: recordsInto(accounts, catalog), onTrouble },
      onProgress: (topic, positions) => {
        for (const [partition, position] of positions) accounts.ledgerOf(topic)?.reached(partition, Number(position))
      },
      onGap: (topic, gap) => {
        logger.error({ topic, gap }, 'records were gone before they were counted: retention took them')
        if (topic === accountsTopic) for (const each of accounts.topics) accounts.ledgerOf(each)?.lost()
        else accounts.ledgerOf(topic)?.lost(gap.partition)
      },
      onReset: (topic) => void accounts.identify(topic, follower.topicId(topic) ?? ''),
    }),
    close,
  )
  const accountant = new Accountant(options, { store, catalog, accounts, follower })
  await accountant.begin()
  while (!signal.aborted) {
    await accountant.look()
    await sleep(lookMs, undefined, { signal }).catch(() => undefined)
  }
}

function recordsInto(accounts: Accounts, catalog: CatalogFollower) {
  return (topic: string, records: readonly StoredRecord[]): void => {
    if (topic === accountsTopic) applyAccounts(accounts, catalog, records)
    else if (accounts.typeOf(topic) !== undefined) accounts.stored(topic, records)
    else accounts.letters(topic.slice(0, -deadLetterTopic('').length), records)
  }
}

function applyAccounts(accounts: Accounts, catalog: CatalogFollower, records: readonly StoredRecord[]): void {
  for (const { partition, offset, value } of records) {
    const account = parseAccount(value === null ? undefined : parsedJson(value.toString()))
    // The type may be newer than the last look.
    if (account && accounts.typeOf(account.topic) === undefined) addDeclared(accounts, catalog)
    if (account) accounts.account(account)
    accounts.accountPositions.set(partition, offset + 1n)
  }
}

function addDeclared(accounts: Accounts, catalog: CatalogFollower): void {
  for (const { topic, type } of catalog.entries().values()) {
    if (accounts.typeOf(topic) === undefined) accounts.add(topic, type)
  }
}

type Parts = {
  readonly store: LedgerStore
  readonly catalog: CatalogFollower
  readonly accounts: Accounts
  readonly follower: Follower
}

class Accountant {
  readonly #options: AccountantOptions
  readonly #parts: Parts
  readonly #lastSeenMs = new Map<string, number>()
  readonly #tryAgainAtMs = new Map<string, number>()
  #releasedAtMs = performance.now()

  constructor(options: AccountantOptions, parts: Parts) {
    this.#options = options
    this.#parts = parts
  }

  /** What is stored is followed before what readers say of it, of which those count alone whose topics are known. */
  async begin(): Promise<void> {
    const { accounts, follower } = this.#parts
    await this.#followTopics()
    for (const topic of accounts.forgotten) accounts.remove(topic)
    await follower.follow(accountsTopic, startOf(accounts.accountPositions))
  }

  async look(): Promise<void> {
    const { accounts, store } = this.#parts
    await this.#followTopics()
    await this.#askForGroups()
    const now = performance.now()
    if (now - this.#releasedAtMs > releaseMs) {
      this.#releasedAtMs = now
      for (const topic of accounts.topics) accounts.ledgerOf(topic)?.release()
    }
    const looks = accounts.topics.flatMap((topic) => accounts.look(topic) ?? [])
    await store.write(accounts.takeChanges(looks))
    this.#options.onLook(looks)
  }

  async #followTopics(): Promise<void> {
    const { catalog, accounts, follower } = this.#parts
    const declared = new Map([...catalog.entries().values()].map(({ topic, type }) => [topic, type]))
    for (const topic of accounts.topics) {
      if (declared.get(topic) === accounts.typeOf(topic)) continue
      for (const gone of [topic, deadLetterTopic(topic)]) follower.unfollow(gone)
      accounts.remove(topic)
    }
    addDeclared(accounts, catalog)
    await Promise.all(
      accounts.topics.flatMap((topic) => [
        this.#follow(topic, accounts.ledgerOf(topic)?.positions ?? new Map()),
        this.#follow(deadLetterTopic(topic), accounts.lettersRead(topic)),
      ]),
    )
  }

  /** A topic may be gone before its entry in the catalog is. */
  async #follow(topic: string, positions: ReadonlyMap<number, bigint>): Promise<void> {
    const { follower } = this.#parts
    const now = performance.now()
    if (follower.positions(topic) || now < (this.#tryAgainAtMs.get(topic) ?? 0)) return
    try {
      await follower.follow(topic, startOf(positions))
    } catch (error) {
      this.#tryAgainAtMs.set(topic, now + followAgainMs)
      this.#options.logger.warn({ err: error, topic }, 'a topic cannot be counted at the moment')
      return
    }
    // Nothing was handed over yet.
    if (this.#parts.accounts.identify(topic, follower.topicId(topic) ?? '')) return
    for (const partition of follower.positions(topic)?.keys() ?? []) follower.seek(topic, partition, 0n)
  }

  /** Sinks tell by their groups' offsets alone; and a reader without a group is none. Where Kafka does not tell, the next look asks again. */
  async #askForGroups(): Promise<void> {
    const { admin, logger } = this.#options
    const { accounts } = this.#parts
    const now = performance.now()
    try {
      const groups = await admin.groups()
      for (const { id } of groups) this.#lastSeenMs.set(id, now)
      for (const { id } of groups) {
        const sink = sinkOf(id)
        if (sink === undefined) continue
        for (const [topic, offsets] of await admin.committedOffsets(id)) {
          for (const [partition, offset] of offsets) accounts.ledgerOf(topic)?.loaded(sink, partition, Number(offset))
        }
      }
    } catch (error) {
      logger.warn({ err: error }, 'it cannot be told at the moment what sinks have loaded')
      return
    }
    const isGone = (reader: string) => now - this.#lastSeenMs.getOrInsert(reader.replace('/', '-'), now) > goneMs
    for (const topic of accounts.topics) accounts.ledgerOf(topic)?.forget(isGone)
  }
}

function startOf(positions: ReadonlyMap<number, bigint>): 'earliest' | ReadonlyMap<number, bigint> {
  return positions.size === 0 ? 'earliest' : positions
}

/** The sink whose consumer group this is, as Connect calls it. */
function sinkOf(group: string): string | undefined {
  const prefix = sinkPrefix.replace('/', '-')
  return group.startsWith(prefix) && group !== 'connect-cluster' ? sinkPrefix + group.slice(prefix.length) : undefined
}
