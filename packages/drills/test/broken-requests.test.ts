import { seededRandom } from '@millrace/core/random'
import { expect, test } from 'vitest'
import { brokenRequest } from '../src/broken-requests.ts'
import { keyedEvent } from '../src/keyed-load.ts'

const events = Array.from({ length: 7 }, (_, key) =>
  keyedEvent({ eventType: 'drill.test', source: '/ü' }, `k${key}`, 0),
)
const requests = Array.from({ length: 300 }, (_, seed) => brokenRequest(events, seededRandom(seed)))
const arrived = ({ body, sentBytes }: (typeof requests)[number]): string =>
  Buffer.from(body).subarray(0, sentBytes).toString()
const isWhole = ({ body, sentBytes }: (typeof requests)[number]): boolean => sentBytes === Buffer.byteLength(body)

test('an event of a bulk load may be stored when its line has arrived, end and all', () => {
  const bulk = requests.filter(({ contentType }) => contentType === 'application/x-ndjson')
  expect(bulk.some(isWhole)).toBe(true)
  expect(bulk.some((request) => !isWhole(request) && request.mayBeStored(0))).toBe(true)
  for (const request of bulk) {
    for (const [index, { text }] of events.entries()) {
      expect(request.mayBeStored(index)).toBe(arrived(request).includes(`${text}\n`))
    }
  }
})

test('the events of a batch may be stored when all of it has arrived', () => {
  const batches = requests.filter(({ contentType }) => contentType !== 'application/x-ndjson')
  expect(batches.some(isWhole)).toBe(true)
  expect(batches.some((request) => !isWhole(request))).toBe(true)
  for (const request of batches) {
    expect(events.map((_, index) => request.mayBeStored(index))).toEqual(events.map(() => isWhole(request)))
  }
})

test('the same seed breaks off in the same place', () => {
  expect(brokenRequest(events, seededRandom(5)).sentBytes).toBe(requests[5]?.sentBytes)
})
