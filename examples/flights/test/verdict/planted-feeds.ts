import { at, type FeedRow, type World } from '../world.ts'
import type { PlantedError } from './planted-error.ts'

const otherBytes = 'f'.repeat(64)

function stored(world: World): FeedRow {
  return at(world.feed_topic, -1)
}

export const errorsOfFeeds: readonly PlantedError[] = [
  {
    check: 'feeds-are-stored',
    error: 'an acknowledged event is missing',
    plant: (world) => {
      world.feed_topic.pop()
    },
    shows: { id: 'quake 2', stored_id: null },
  },
  {
    check: 'feeds-are-stored',
    error: 'an acknowledged event is stored with other bytes',
    plant: (world) => {
      stored(world).sha256 = otherBytes
    },
    shows: { id: 'quake 2', stored_sha256: otherBytes },
  },
  {
    check: 'feeds-are-stored',
    error: 'the place that was returned is that of another event',
    plant: (world) => {
      stored(world).id = 'quake 9'
    },
    shows: { id: 'quake 2', stored_id: 'quake 9' },
  },
  {
    check: 'feeds-are-stored',
    error: 'an event is stored in another topic than the one that was returned',
    plant: (world) => {
      stored(world).topic = 'weather.observed'
    },
    shows: { id: 'quake 2', stored_id: null },
  },
  {
    check: 'feeds-are-stored',
    error: 'a refused event is stored',
    plant: (world) => {
      world.feed_topic.push({ ...stored(world), id: 'quake 3', offset: 3 })
    },
    shows: { id: 'quake 3', offset: '3' },
  },
  {
    check: 'feed-copies-are-identical',
    error: 'a copy has other bytes',
    plant: (world) => {
      world.feed_topic.push({ ...stored(world), sha256: otherBytes, offset: 3 })
    },
    shows: { id: 'quake 2', copies: '2', contents: '2' },
  },
  {
    check: 'feed-copies-are-identical',
    error: 'a copy is in another partition',
    plant: (world) => {
      world.feed_topic.push({ ...stored(world), partition: 0, offset: 0 })
    },
    shows: { id: 'quake 2', partitions: '2' },
  },
]
