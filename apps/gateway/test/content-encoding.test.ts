import { PassThrough, Readable } from 'node:stream'
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test, vi } from 'vitest'
import { contentEncodingOf, openBody } from '../src/content-encoding.ts'
import { ProblemError } from '../src/problem.ts'

const bytesMax = 1_048_576
const brotli = (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })

async function read(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const statusOf = (reading: Promise<unknown>): Promise<unknown> =>
  reading.then(
    () => 'read',
    (error: unknown) => (error instanceof ProblemError ? error.problem.status : error),
  )

describe.each([
  ['identity', (bytes: Buffer) => bytes],
  ['gzip', gzipSync],
  ['br', brotli],
  ['zstd', zstdCompressSync],
] as const)('a body in %s', (encoding, compress) => {
  const open = (bytes: Buffer) =>
    openBody(Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]), encoding, bytesMax, undefined)

  test('is what it was before, up to the bound', async () => {
    const bytes = Buffer.from('0123456789abcdef'.repeat(65_536))
    const sent = compress(bytes)
    const body = open(sent)
    expect((await read(body)).equals(bytes)).toBe(true)
    expect(body.receivedEncodedLength).toBe(sent.length)
  })

  test('is 413 past the bound', async () => {
    expect(await statusOf(read(open(compress(Buffer.alloc(bytesMax + 1)))))).toBe(413)
  })

  test('is 400 where its connection breaks off', async () => {
    const raw = new PassThrough()
    const reading = statusOf(read(openBody(raw, encoding, bytesMax, undefined)))
    raw.write(compress(Buffer.from('half of it')).subarray(0, 5))
    raw.destroy()
    expect(await reading).toBe(400)
  })
})

describe.each([
  ['gzip', gzipSync],
  ['br', brotli],
  ['zstd', zstdCompressSync],
] as const)('a bomb in %s', (encoding, compress) => {
  test('is given up at the bound, and what is left of it is thrown away', async () => {
    const bomb = compress(Buffer.alloc(16 * bytesMax))
    const raw = new PassThrough()
    const body = openBody(raw, encoding, bytesMax, undefined)
    let decoded = 0
    body.on('data', (chunk: Buffer) => (decoded += chunk.length))
    const failed = new Promise((resolve) => body.once('error', resolve))
    raw.write(bomb)
    expect(await failed).toMatchObject({ problem: { status: 413 } })
    expect(decoded).toBeLessThanOrEqual(bytesMax)
    raw.end(Buffer.alloc(1_000))
    await vi.waitUntil(() => raw.readableEnded)
  })

  test('that is corrupt or cut is 400', async () => {
    const bytes = compress(Buffer.from('text '.repeat(1_000)))
    const open = (sent: Buffer) => statusOf(read(openBody(Readable.from([sent]), encoding, bytesMax, undefined)))
    expect(await open(Buffer.from('this is no such data'))).toBe(400)
    expect(await open(bytes.subarray(0, -6))).toBe(400)
  })
})

test.each([
  [undefined, 'identity'],
  ['identity', 'identity'],
  ['GZIP', 'gzip'],
  ['x-gzip', 'gzip'],
  [' br ', 'br'],
  ['zstd', 'zstd'],
  ['deflate', undefined],
  ['gzip, gzip', undefined],
  ['constructor', undefined],
])('content-encoding %s is %s', (header, encoding) => {
  expect(contentEncodingOf(header)).toBe(encoding)
})
