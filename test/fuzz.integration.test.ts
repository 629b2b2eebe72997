/**
 * Our decoders against the reference implementations, on payloads that were valid until somebody changed their bytes. What both take
 * they must see alike; what we take they must take; where we alone refuse it must be for a bound, or a strictness, of ours.
 */
import { readFileSync } from 'node:fs'
import type { SchemaSource } from '@millrace/schemas/codec'
import { compileCodec } from '@millrace/schemas/compile-codec'
import { stack } from '@millrace/testkit/fixture'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fuzzCases } from './fuzz-cases.ts'
import { openReferenceDecoder, type ReferenceDecoder, seeTheSame } from './reference.ts'

const { javaCommand } = stack()
/** For each schema; the whole ends in a minute. */
const payloadsPerSchema = 2_000
const payloadsAtOnce = 250
const seed = Number(readFileSync(new URL('fuzz-seed', import.meta.url), 'utf8'))

let reference: ReferenceDecoder
beforeAll(() => {
  reference = openReferenceDecoder(javaCommand)
})
afterAll(() => reference.close())

describe.each(fuzzCases)('$name', ({ source, samples, found }) => {
  const codec = compileCodec(source)
  const valid = samples.map((sample) => {
    const coded = codec.fromJson(sample)
    if (!coded.ok) throw new Error(JSON.stringify(coded.violations))
    return coded.value
  })

  test('valid payloads are seen alike', async () => {
    expect(await differences(source, valid)).toEqual([])
  })

  test('what once was found is seen alike', async () => {
    expect(
      await differences(
        source,
        found.map((hex) => Buffer.from(hex, 'hex')),
      ),
    ).toEqual([])
  })

  test(`${payloadsPerSchema} changed payloads are seen alike`, { timeout: 60_000 }, async () => {
    const payloads = fc.sample(changed(valid), { numRuns: payloadsPerSchema, seed })
    for (let start = 0; start < payloads.length; start += payloadsAtOnce) {
      expect(await differences(source, payloads.slice(start, start + payloadsAtOnce))).toEqual([])
    }
  })
})

type Difference = { readonly bytes: string; readonly ours: unknown; readonly theirs: unknown }

async function differences(source: SchemaSource, payloads: readonly Buffer[]): Promise<Difference[]> {
  const codec = compileCodec(source)
  const answers = await reference.decode(source, payloads)
  return payloads.flatMap((bytes, index) => {
    const ours = codec.fromBytes(bytes)
    const theirs = answers[index]
    const agree = ours.ok
      ? theirs?.ok === true && seeTheSame(ours.data, theirs.data)
      : theirs?.ok !== true || ours.violations.every(({ detail }) => isStricter(detail))
    return agree ? [] : [{ bytes: bytes.toString('hex'), ours, theirs }]
  })
}

/** What we refuse and a reference lets pass: a bound of ours, or bytes that it would silently replace or leave out. */
const strictness = [
  /UTF-8/, // replaced by U+FFFD
  /boolean/, // any byte but 1 is false in Avro for Java, any varint but 0 is true in Protobuf
  /nested|nesting|levels/,
  /items|elements/,
  /varint|too long|bytes long/, // bits beyond the type's width are cut off
  /beyond an int/,
  /block of \d+ bytes/,
  /a second time/, // the last entry of a map counts elsewhere
  /more than (64|29) bits/, // cut off likewise
  /goes on for longer/, // lengths of more than 32 bits too
  /block that should end/, // the size of a block is there to skip it, and Avro for Java never looks
  /group/,
  /enum/, // kept as a number
  /wire type/, // taken for an unknown field
  /range|year/, // timestamps and durations that RFC 3339 cannot write
]

function isStricter(detail: string): boolean {
  return strictness.some((reason) => reason.test(detail))
}

/** Payloads of which some bytes are others, missing, doubled, or those of another payload. */
function changed(valid: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const one = fc.constantFrom(...valid)
  const place = fc.nat({ max: 4_096 })
  const flipped = fc.tuple(one, fc.array(fc.tuple(place, fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }))
  const cut = fc.tuple(one, place, fc.nat({ max: 8 }))
  const inserted = fc.tuple(one, place, fc.uint8Array({ minLength: 1, maxLength: 12 }))
  const spliced = fc.tuple(one, one, place, place)
  return fc.oneof(
    flipped.map(([bytes, changes]) => {
      const copy = Buffer.from(bytes)
      for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value
      return copy
    }),
    cut.map(([bytes, at, count]) => without(bytes, at % (bytes.length + 1), count)),
    inserted.map(([bytes, at, more]) => {
      const start = at % (bytes.length + 1)
      return Buffer.concat([bytes.subarray(0, start), more, bytes.subarray(start)])
    }),
    spliced.map(([left, right, end, start]) =>
      Buffer.concat([left.subarray(0, end % (left.length + 1)), right.subarray(start % (right.length + 1))]),
    ),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  )
}

function without(bytes: Buffer, start: number, count: number): Buffer {
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + count)])
}
