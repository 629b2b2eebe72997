import { describe, expect, test, vi } from 'vitest'
import { createIdentities, fingerprintOf, type Place } from '../src/identities.ts'

const place = (members: Partial<Place> = {}): Place => ({
  topic: 't',
  partition: 0,
  offset: 7,
  timestampMs: Date.now(),
  schemaId: 1,
  ...members,
})
const sent = (members: object = {}) => ({ source: '/s', id: '1', fingerprint: 'a'.repeat(32), ...members })
const options = { identitiesMax: 100, windowMs: 60_000 }

function firstClaim(identities: ReturnType<typeof createIdentities>, what = sent()) {
  const claim = identities.claim(what)
  if (claim.kind !== 'first') throw new Error(`it is ${claim.kind}`)
  return claim
}

describe('an identity', () => {
  test('is known from the moment that its first event is stored', () => {
    const identities = createIdentities(options)
    const where = place()
    firstClaim(identities).stored(where)
    expect(identities.claim(sent())).toEqual({ kind: 'known', place: where, same: true })
    expect(identities.claim(sent({ fingerprint: 'b'.repeat(32) }))).toMatchObject({ kind: 'known', same: false })
    expect(identities.claim(sent({ source: '/other' })).kind).toBe('first')
  })

  test('is not mixed up with another whose source and id read the same together', () => {
    const identities = createIdentities(options)
    firstClaim(identities, sent({ source: 'a', id: 'bc' })).stored(place())
    expect(identities.claim(sent({ source: 'ab', id: 'c' })).kind).toBe('first')
  })

  test('has one event under way at a time; what fails it is told to all who wait, and the next may try', async () => {
    const identities = createIdentities(options)
    const first = firstClaim(identities)
    const waiting = [sent(), sent({ fingerprint: 'f'.repeat(32) })].map((one) => {
      const claim = identities.claim(one)
      if (claim.kind !== 'under way') throw new Error(`it is ${claim.kind}`)
      return { same: claim.same, ended: claim.ended() }
    })
    expect(waiting.map(({ same }) => same)).toEqual([true, false])
    const failure = new Error('no broker')
    first.failed(failure)
    for (const { ended } of waiting) await expect(ended).rejects.toBe(failure)
    const third = firstClaim(identities)
    first.failed(failure) // an end that is told twice ends nothing else
    expect(identities.claim(sent()).kind).toBe('under way')
    third.stored(place())
    expect(identities.claim(sent()).kind).toBe('known')
  })

  test('is that of its earliest record, in whatever order records are learnt', () => {
    const early = place({ timestampMs: Date.now() - 10, partition: 3 })
    const late = place({ partition: 1 })
    for (const order of [
      [early, late],
      [late, early],
    ]) {
      const identities = createIdentities(options)
      for (const where of order) identities.learn(sent(), where)
      expect(identities.claim(sent())).toMatchObject({ kind: 'known', place: early })
    }
  })

  test('that a record tells of is known though the send of it failed', () => {
    const identities = createIdentities(options)
    const first = firstClaim(identities)
    identities.learn(sent(), place())
    first.failed(new Error('not confirmed'))
    expect(identities.claim(sent()).kind).toBe('known')
  })

  test('is forgotten after the window', () => {
    vi.useFakeTimers()
    try {
      const identities = createIdentities(options)
      firstClaim(identities).stored(place())
      vi.advanceTimersByTime(options.windowMs + 1)
      firstClaim(identities).stored(place({ offset: 9 }))
      expect(identities.claim(sent())).toMatchObject({ kind: 'known', place: { offset: 9 } })
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a fingerprint', () => {
  const context = {
    id: '1',
    source: '/s',
    type: 'order.placed',
    specversion: '1.0',
    time: '2030-01-01T00:00:00Z',
    attributes: { tenant: 'blue', subject: 's' },
  } as const
  const given = { time: true }
  const of = (members: object = {}, data = '{}', gave = given) =>
    fingerprintOf({ ...context, ...members }, gave, Buffer.from(data))

  test('is the same for the same event, whatever its trace and the order of its attributes', () => {
    const attributes = { subject: 's', traceparent: 'x', tracestate: 'y', datacontenttype: 'z', tenant: 'blue' }
    expect(of({ attributes })).toBe(of())
    expect(of()).toMatch(/^[0-9a-f]{32}$/)
  })

  test('does not count a time that was filled in', () => {
    const filledIn = { time: false }
    expect(of({ time: '2031-01-01T00:00:00Z' }, '{}', filledIn)).toBe(of({}, '{}', filledIn))
    expect(of({}, '{}', filledIn)).not.toBe(of())
  })

  test.each([
    ['type', { type: 'order.shipped' }],
    ['time', { time: '2031-01-01T00:00:00Z' }],
    ['an attribute', { attributes: { tenant: 'red', subject: 's' } }],
    ['one attribute less', { attributes: { tenant: 'blue' } }],
    ['where an attribute begins', { attributes: { tenant: 'blu', esubject: 's' } }],
  ])('differs with its %s', (_what, members) => {
    expect(of(members)).not.toBe(of())
  })

  test('differs with every byte of the data', () => {
    expect(of({}, '{"a":1}')).not.toBe(of())
    const bytes = (...values: number[]) => fingerprintOf(context, given, Buffer.from(values))
    expect(bytes(0xc3, 0xa9)).not.toBe(bytes(0xe9))
    expect(bytes(0xff, 0xfe)).not.toBe(bytes(0xff, 0xfd))
  })
})
