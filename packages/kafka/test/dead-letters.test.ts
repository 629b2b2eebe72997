import { randomBytes } from 'node:crypto'
import type { FailedRecord, Failure, RawHeader } from '@millrace/core/dead-letter'
import { readDeadLetter } from '@millrace/core/read-dead-letter'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deadLetterOf, originalOf } from '../src/dead-letters.ts'
import { createSealing } from '../src/sealing.ts'

const key = () => randomBytes(32).toString('base64')
const [first, second] = [key(), key()]
const sealingWith = (current: string, keys: object) => createSealing(JSON.stringify({ current, keys }), 'sealing.json')
const sealing = sealingWith('k1', { k1: first })

const failure: Failure = {
  ...{ by: 'worker/bill', reason: 'rejected', detail: 'the card 4111 is not known', attempts: 1 },
  ...{ firstFailedAtMs: 1_000, failedAtMs: 2_000 },
}

function failed(given: Partial<FailedRecord<Buffer>> = {}): FailedRecord<Buffer> {
  return {
    ...{ topic: 'card.used', partition: 1, offset: 7n, timestampMs: 1, key: Buffer.from('4111') },
    value: Buffer.from('{"card":"4111"}'),
    headers: new Map([
      ['ce_id', 'c-1'],
      ['ce_source', '/till'],
      ['millrace_fingerprint', 'abcdef'],
    ]),
    ...given,
  }
}

/** The letter as a reader of its topic has it. */
function stored(record: FailedRecord<Buffer>, isSealed = true) {
  const { key, value, headers, rawHeaders, timestampMs } = deadLetterOf(record, failure, isSealed ? sealing : undefined)
  const asBytes = [...headers].map(([name, text]): RawHeader<Buffer> => [Buffer.from(name), Buffer.from(text)])
  const asText = (rawHeaders ?? []).map(([name, text]): [string, string] => [name.toString(), String(text ?? '')])
  return {
    ...{ key: key ?? null, value, timestampMs },
    headers: new Map([...asText, ...headers]),
    rawHeaders: rawHeaders && [...rawHeaders, ...asBytes],
  }
}

const letterOf = (record: ReturnType<typeof stored>) => readDeadLetter('card.used', record)

const anyBytes = fc.option(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)))

test.each([
  ['sealed', true],
  ['plain', false],
])('a %s dead letter gives back its record, byte for byte', (_what, isSealed) => {
  fc.assert(
    fc.property(anyBytes, anyBytes, fc.boolean(), (someKey, value, isRaw) => {
      const text: [string, string][] = [
        ['ce_id', 'c-1'],
        ['millrace_fingerprint', 'abcdef'],
      ]
      const raw = text.map(([name, said]): RawHeader<Buffer> => [Buffer.from(name), Buffer.from(said)])
      const rawHeaders: RawHeader<Buffer>[] = [[Buffer.from([0xff]), null], ...raw]
      const record = failed({ key: someKey, value, headers: new Map(text), ...(isRaw && { rawHeaders }) })
      const letter = stored(record, isSealed)
      const original = originalOf(letter, letterOf(letter), sealing)
      expect({ key: original.key, value: original.value }).toEqual({ key: someKey, value })
      expect(original.rawHeaders).toEqual(isRaw ? rawHeaders : undefined)
      if (!isRaw) expect([...original.headers]).toEqual(text)
    }),
  )
})

test('a sealed dead letter shows nothing that is made of the data', () => {
  const letter = stored(failed())
  expect(letter.key).toBeNull()
  const all = Buffer.concat([letter.value ?? Buffer.alloc(0), Buffer.from([...letter.headers].flat().join(' '))])
  for (const secret of ['4111', 'abcdef', 'card"']) expect(all.includes(secret)).toBe(false)
  expect(letterOf(letter)).toMatchObject({ sealed: 'k1', reason: 'rejected' })
})

describe('a sealed dead letter does not open', () => {
  const open =
    (letter: ReturnType<typeof stored>, by = sealing) =>
    () =>
      originalOf(letter, letterOf(letter), by)
  const changed = (name: string, text: string) => {
    const letter = stored(failed())
    return { ...letter, headers: new Map([...letter.headers, [name, text]]) }
  }

  test('with a key that is not there, or is another of the same name', () => {
    const letter = stored(failed())
    expect(open(letter, sealingWith('k2', { k2: second }))).toThrow(/sealed with the key "k1", which is not among/)
    expect(open(letter, sealingWith('k1', { k1: second }))).toThrow(/does not open with the key "k1"/)
  })

  test.each([
    ['ce_id', 'c-2'],
    ['ce_source', '/other'],
    ['millrace_dlq_reason', 'timeout'],
    ['millrace_origin_topic', 'card.lost'],
  ])('under another %s', (name, text) => {
    expect(open(changed(name, text))).toThrow(/it was changed/)
  })

  test('when any byte of it was changed, or it was cut', () => {
    const letter = stored(failed())
    const value = letter.value ?? Buffer.alloc(0)
    for (let at = 0; at < value.length; at++) {
      const bytes = Buffer.from(value)
      bytes[at] = (bytes[at] ?? 0) ^ 1
      expect(open({ ...letter, value: bytes })).toThrow(/it was changed/)
    }
    for (const cut of [0, 1, 28, value.length - 1]) {
      expect(open({ ...letter, value: value.subarray(0, cut) })).toThrow(/it was changed/)
    }
    expect(open({ ...letter, value: null })).toThrow(/it was changed/)
  })
})

test('keys can be rotated: what an older one sealed still opens', () => {
  const letter = stored(failed())
  const rotated = sealingWith('k2', { k1: first, k2: second })
  expect(originalOf(letter, letterOf(letter), rotated).value).toEqual(failed().value)
  expect(rotated.seal({ key: null, value: null, fingerprint: null }, { ...noContext }).keyId).toBe('k2')
})

const noContext = { topic: '', source: '', id: '', reason: '' }

test('two seals of the same are not the same', () => {
  const seal = () => sealing.seal({ key: null, value: Buffer.from('x'), fingerprint: null }, noContext).value
  expect(seal()).not.toEqual(seal())
})

test.each([
  ['', /must be \{"current"/],
  ['{"current":"k1","keys":{}}', /the current one among the keys/],
  ['{"current":"k1","keys":{"k1":"c2hvcnQ="}}', /the key "k1" must be 32 bytes/],
  [`{"current":"k 1","keys":{"k 1":"${first}"}}`, /the id of a key/],
])('a file of keys that cannot be used is told by what is wrong: %s', (text, told) => {
  expect(() => createSealing(text, 'sealing.json')).toThrow(told)
})
