import { judged } from '../small-pipelines.ts'
import { at, withoutPlace, type World } from '../world.ts'
import type { PlantedError } from './planted-error.ts'

const otherBytes = 'f'.repeat(64)

/** The last event of partition 0: in a window that is still open, so that no other check sees what happens to it. */
const openId = '12'

function stored(world: World, id: string) {
  return at(
    world.topic.filter((row) => row.id === id),
    0,
  )
}

function answer(world: World, id: string) {
  return at(
    world.ledger.filter((row) => row.id === id),
    0,
  )
}

/** A further record with the content of one that is there, at the end of a partition. */
function storeAgain(world: World, id: string, changed: Partial<World['topic'][number]> = {}): void {
  const copy = { ...stored(world, id), ...changed }
  const offset = world.topic.filter(({ partition }) => partition === copy.partition).length
  world.topic.push({ ...copy, offset })
}

/** A further event among the late ones of the pipeline that is loaded. */
function findLate(world: World, originId: string): void {
  const { partition, offset, source, id, sha256 } = stored(world, originId)
  const origin = { origin_partition: partition, origin_offset: offset, source, id, sha256 }
  world.late.push({ pipeline: judged.loaded, partition: 0, offset: 3, ...origin, missed: null })
}

const ledgerErrors: readonly PlantedError[] = [
  {
    check: 'acknowledged-is-stored',
    error: 'an acknowledged event is missing',
    plant: (world) => {
      world.topic = world.topic.filter(({ id }) => id !== openId)
    },
    shows: { id: openId, stored_id: null },
  },
  {
    check: 'acknowledged-is-stored',
    error: 'an event that was acknowledged as a duplicate is missing',
    plant: (world) => {
      world.ledger.push({ ...answer(world, '0'), status: 'duplicate', offset: 99 })
    },
    shows: { id: '0', offset: '99', stored_id: null },
  },
  {
    check: 'acknowledged-is-stored',
    error: 'an acknowledged event is at another offset',
    plant: (world) => {
      answer(world, openId).offset = 0
    },
    shows: { id: openId, stored_id: '0' },
  },
  {
    check: 'acknowledged-is-stored',
    error: 'an acknowledged event is in another partition',
    plant: (world) => {
      answer(world, '0').partition = 1
    },
    shows: { id: '0', partition: 1, stored_id: '1' },
  },
  {
    check: 'acknowledged-is-stored',
    error: 'an acknowledged event has other bytes',
    plant: (world) => {
      stored(world, openId).sha256 = otherBytes
    },
    shows: { id: openId, stored_sha256: otherBytes },
  },
  {
    check: 'acknowledged-is-stored',
    error: 'an acknowledged event has another source',
    plant: (world) => {
      stored(world, openId).source = '/elsewhere'
    },
    shows: { id: openId, stored_id: openId },
  },
  {
    check: 'refused-is-not-stored',
    error: 'a refused event is stored',
    plant: (world) => {
      world.ledger = world.ledger.filter(({ id }) => id !== openId)
      world.ledger.push(withoutPlace('rejected', openId))
    },
    shows: { id: openId, detail: 'it was rejected' },
  },
]

const copyErrors: readonly PlantedError[] = [
  {
    check: 'copies-are-identical',
    error: 'a copy has other bytes',
    plant: (world) => storeAgain(world, openId, { sha256: otherBytes }),
    shows: { id: openId, copies: '2', contents: '2', partitions: '1' },
  },
  {
    check: 'copies-are-identical',
    error: 'a copy is in another partition',
    plant: (world) => storeAgain(world, openId, { partition: 1 }),
    shows: { id: openId, contents: '1', partitions: '2' },
  },
  {
    check: 'copies-are-identical',
    error: 'a copy has another key',
    plant: (world) => storeAgain(world, openId, { key: 'CCC' }),
    shows: { id: openId, contents: '1', partitions: '1' },
  },
]

const lateErrors: readonly PlantedError[] = [
  {
    check: 'late-is-stored',
    error: 'a late event has other bytes',
    plant: (world) => {
      at(world.late, 0).sha256 = otherBytes
    },
    shows: { id: 'late AAA', stored_id: 'late AAA' },
  },
  {
    check: 'late-is-stored',
    error: 'a late event is twice among the late',
    plant: (world) => {
      world.late.push({ ...at(world.late, 0), offset: world.late.length })
    },
    shows: { id: 'late AAA', copies: '2' },
  },
  {
    check: 'late-is-stored',
    error: 'a late event names a place where another event is',
    plant: (world) => {
      at(world.late, 0).origin_offset = 0
    },
    shows: { id: 'late AAA', stored_id: '0' },
  },
  {
    check: 'late-is-stored',
    error: 'a late event is not in the topic',
    plant: (world) => {
      at(world.late, 0).origin_offset = 99
    },
    shows: { id: 'late AAA', stored_id: null },
  },
  {
    check: 'late-is-stored',
    error: 'a late event lost its source',
    plant: (world) => {
      at(world.late, 0).source = null
    },
    shows: { id: 'late AAA', stored_id: 'late AAA' },
  },
  {
    check: 'late-was-late',
    error: 'an event was taken for late that came in time',
    plant: (world) => {
      findLate(world, '9')
    },
    shows: { id: '9', event_ms: '65000', missed_end_ms: '120000', partition_watermark_ms: '65000' },
  },
  {
    check: 'late-was-late',
    error: 'the first event of a partition was taken for late',
    plant: (world) => {
      findLate(world, '0')
    },
    shows: { id: '0', partition_watermark_ms: null },
  },
  {
    check: 'late-was-late',
    error: 'a malformed event was taken for late',
    plant: (world) => {
      findLate(world, 'malformed')
    },
    shows: { id: 'malformed', event_ms: null },
  },
]

const deadLetterErrors: readonly PlantedError[] = [
  {
    check: 'dead-letters-are-malformed',
    error: 'a well-formed event is a dead letter',
    plant: (world) => {
      const { partition, offset, sha256 } = stored(world, openId)
      world.dead_letters.push({
        ...at(world.dead_letters, 0),
        ...{ offset: 1, origin_partition: partition, origin_offset: offset, sha256 },
      })
    },
    shows: { copies: '1', well_formed: true },
  },
  {
    check: 'dead-letters-are-malformed',
    error: 'a dead letter is there twice',
    plant: (world) => {
      world.dead_letters.push({ ...at(world.dead_letters, 0), offset: 1 })
    },
    shows: { copies: '2', ids: ['malformed', 'malformed'] },
  },
  {
    check: 'dead-letters-are-malformed',
    error: 'a dead letter is there twice, for two reasons',
    plant: (world) => {
      world.dead_letters.push({ ...at(world.dead_letters, 0), offset: 1, reason: 'processing-failed' })
    },
    shows: { copies: '2' },
  },
  {
    check: 'dead-letters-are-malformed',
    error: 'a dead letter has other bytes',
    plant: (world) => {
      at(world.dead_letters, 0).sha256 = otherBytes
    },
    shows: { ids: ['malformed'], copies: '1', well_formed: false },
  },
  {
    check: 'dead-letters-are-malformed',
    error: 'a dead letter was never in the topic',
    plant: (world) => {
      at(world.dead_letters, 0).origin_offset = 99
    },
    shows: { ids: ['malformed'], well_formed: null },
  },
]

/** In what was sent, stored, late or malformed. */
export const errorsOfEvents: readonly PlantedError[] = [
  ...ledgerErrors,
  ...copyErrors,
  ...lateErrors,
  ...deadLetterErrors,
]
