import { Readable } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { BodyRoom, BodyShare } from '../src/body-room.ts'
import type { Ingest, Outcome } from '../src/ingest.ts'
import { problem, ProblemError } from '../src/problem.ts'
import { publishLines } from '../src/publish-bulk.ts'

const bounds = { eventBytesMax: 1_000, bulkEventsMax: 5_000 }
const identity = { subject: 'test', permissions: [], expiresAtMs: Infinity }
const share = { take: () => true, give: () => undefined }
const request = { identity, trace: undefined, isOver: () => false, share }
const lost: Outcome = { status: 'unconfirmed', id: null, problem: problem(503, 'not confirmed') }

/** What stands behind a bulk load, with every event in the hands of the test. */
function openIngest() {
  const waiting: (() => void)[] = []
  const ingest: Ingest = {
    accept: () => new Promise((resolve) => waiting.push(() => resolve(lost))),
    refuse: (_submitted, told) => ({ status: 'rejected', id: null, problem: told }),
    giveUp: () => lost,
  }
  return { ingest, waiting }
}

async function* chunks(count: number, onPull: () => void, failure?: Error) {
  for (let index = 0; index < count; index++) {
    onPull()
    yield await Promise.resolve(Buffer.from(`{"n":${index}}\n`.repeat(100)))
  }
  if (failure) throw failure
}

describe('a bulk load', () => {
  test('is not read further while a thousand of its events are under way', async () => {
    const { ingest, waiting } = openIngest()
    let pulled = 0
    const lines = chunks(30, () => (pulled += 1))
    const publishing = publishLines({ ...request, lines }, ingest, bounds)
    await vi.waitUntil(() => waiting.length === 1_000)
    await new Promise((resolve) => setImmediate(resolve))
    expect(pulled).toBe(11)
    expect(waiting.length).toBe(1_000)
    for (let settled = 0; settled < 3_000; settled++) {
      await vi.waitUntil(() => waiting.length > 0, { interval: 1 })
      waiting.shift()?.()
    }
    await publishing
    expect(pulled).toBe(30)
  })

  test('that fails waits for what it took, and says from where on nothing was', async () => {
    const { ingest, waiting } = openIngest()
    const lines = chunks(1, () => undefined, new ProblemError(problem(413, 'the body is too large')))
    const publishing = publishLines({ ...request, lines }, ingest, bounds)
    await vi.waitUntil(() => waiting.length === 100)
    let done = false
    void publishing.then(() => (done = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(done).toBe(false)
    for (const settle of waiting) settle()
    const answer = await publishing
    expect(answer.counts()).toEqual({ accepted: 0, rejected: 1, unconfirmed: 100 })
  })

  test('whose time ends while it waits for room takes nothing more', async () => {
    const { ingest, waiting } = openIngest()
    let over = false
    const lines = chunks(11, () => undefined)
    const publishing = publishLines({ ...request, lines, isOver: () => over }, ingest, bounds)
    await vi.waitUntil(() => waiting.length === 1_000)
    over = true
    for (const settle of waiting) settle()
    expect((await publishing).counts()).toEqual({ accepted: 0, rejected: 0, unconfirmed: 1_100 })
    expect(waiting).toHaveLength(1_000)
  })

  test('takes no more of the room for bodies than there is, and waits for what it has itself under way', async () => {
    const { ingest, waiting } = openIngest()
    const room = new BodyRoom(500)
    const lines = chunks(1, () => undefined)
    const publishing = publishLines({ ...request, lines, share: new BodyShare(room) }, ingest, bounds)
    await vi.waitUntil(() => waiting.length === 71)
    expect(room.taken).toBe(71 * 7)
    for (const settle of waiting.splice(0)) settle()
    await vi.waitUntil(() => waiting.length === 29)
    for (const settle of waiting) settle()
    expect((await publishing).counts()).toEqual({ accepted: 0, rejected: 0, unconfirmed: 100 })
    expect(room.taken).toBe(0)
  })

  test('for which others leave no room is to be sent again, and so is one whose line does not end', async () => {
    const { ingest, waiting } = openIngest()
    const load = () => ({ ...request, share: new BodyShare(new BodyRoom(5)) })
    const publishing = publishLines({ ...load(), lines: chunks(1, () => undefined) }, ingest, bounds)
    expect((await publishing).counts()).toEqual({ accepted: 0, rejected: 0, unconfirmed: 100 })
    expect(waiting).toHaveLength(0)
    const unfinished = Readable.from([Buffer.from('{"n":'), Buffer.from('12345')])
    await expect(publishLines({ ...load(), lines: unfinished }, ingest, bounds)).rejects.toMatchObject({
      problem: { status: 503 },
    })
  })

  test('that is read no further says so of the rest, which may be sent again', async () => {
    const { ingest, waiting } = openIngest()
    const lines = chunks(1, () => undefined, new ProblemError(problem(503, 'there was no time')))
    const publishing = publishLines({ ...request, lines }, ingest, bounds)
    await vi.waitUntil(() => waiting.length === 100)
    for (const settle of waiting) settle()
    expect((await publishing).counts()).toEqual({ accepted: 0, rejected: 0, unconfirmed: 101 })
  })

  test('that fails before its first event fails as a whole', async () => {
    const failure = new ProblemError(problem(400, 'the body is not gzip data'))
    const lines = chunks(0, () => undefined, failure)
    const { ingest } = openIngest()
    await expect(publishLines({ ...request, lines }, ingest, bounds)).rejects.toBe(failure)
  })

  test('with lines past the bound refuses each, and ends at ten times the bound', async () => {
    const { ingest, waiting } = openIngest()
    let pulled = 0
    const lines = chunks(100, () => (pulled += 1))
    const few = { ...bounds, bulkEventsMax: 20 }
    const publishing = publishLines({ ...request, lines }, ingest, few)
    await vi.waitUntil(() => waiting.length === 20)
    for (const settle of waiting) settle()
    expect((await publishing).counts()).toEqual({ accepted: 0, rejected: 181, unconfirmed: 20 })
    expect(pulled).toBe(3)
  })
})
