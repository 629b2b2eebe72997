/** Bodies of requests, decoded as they arrive. What they become is bounded; what is left of one that is refused is read and thrown away. */
import { type Readable, Transform } from 'node:stream'
import { constants, createBrotliDecompress, createGunzip, createZstdDecompress } from 'node:zlib'
import { noRoom, problem, ProblemError } from './problem.ts'

/** What bodies may be compressed with, as `Accept-Encoding` lists it. */
export const acceptedEncodings = 'gzip, br, zstd'

const chunkSize = 64 * 1_024
/** What RFC 8878 asks a decoder to support at least; more would let a few bytes take 128 MB. */
const zstdWindowLogMax = 23

const decoders = {
  gzip: () => createGunzip({ chunkSize }),
  br: () => createBrotliDecompress({ chunkSize }),
  zstd: () => createZstdDecompress({ chunkSize, params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLogMax } }),
} as const

export type ContentEncoding = keyof typeof decoders

/** A body of known bounds. fastify compares `receivedEncodedLength` with `content-length`. */
export type Body = Readable & { readonly receivedEncodedLength: number }

/** The encoding that a `content-encoding` header names; `undefined` for others, and for one in another. */
export function contentEncodingOf(header: string | undefined): ContentEncoding | 'identity' | undefined {
  const name = (header ?? 'identity').trim().toLowerCase()
  switch (name) {
    case 'identity':
    case 'gzip':
    case 'br':
    case 'zstd':
      return name
    case 'x-gzip':
      return 'gzip'
    default:
      return undefined
  }
}

/** Where the bytes of a body are counted together with those of others. */
type Share = { readonly take: (bytes: number) => boolean }

/**
 * The body of a request. It fails with a ProblemError: 413 past `bytesMax` bytes, 503 where its share has no room for it, 400 where
 * the data is corrupt, or breaks off.
 * Whoever stops reading before its end still can answer: the connection stays.
 */
export function openBody(
  raw: Readable,
  encoding: ContentEncoding | 'identity',
  bytesMax: number,
  share: Share | undefined,
): Body {
  let decoded = 0
  const bounded = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      decoded += chunk.length
      if (decoded <= bytesMax && (share?.take(chunk.length) ?? true)) done(null, chunk)
      else if (decoded <= bytesMax) done(noRoom())
      else done(new ProblemError(problem(413, `the body has more than ${bytesMax} bytes`)))
    },
  })
  // Nobody may read it: a route without a body, an answer that came before. Whoever does is told all the same.
  bounded.on('error', () => undefined)
  let received = 0
  raw.on('data', (chunk: Buffer) => (received += chunk.length))
  const decoder = encoding === 'identity' ? undefined : decoders[encoding]()
  if (decoder) raw.pipe(decoder).pipe(bounded)
  else raw.pipe(bounded)
  const fail = (detail: string) => bounded.destroy(new ProblemError(problem(400, detail)))
  decoder?.on('error', () => fail(`the body is not ${encoding} data, or not all of it`))
  raw.on('error', () => fail('the body broke off'))
  raw.on('close', () => {
    if (!raw.readableEnded) fail('the body broke off')
  })
  bounded.on('close', () => {
    raw.unpipe()
    decoder?.destroy()
    raw.resume()
  })
  return Object.defineProperty(Object.assign(bounded, { receivedEncodedLength: 0 }), 'receivedEncodedLength', {
    get: () => received,
  })
}
