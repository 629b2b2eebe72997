/** The events of a batch apart, before anything parses them: in turns, each by itself. */

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c

export type BatchParts = {
  /** What stands between the commas, `partsMax` of it at most: JSON, if the body is. */
  readonly parts: readonly Buffer[]
  readonly count: number
}

/**
 * Splits a JSON array at the commas between its items.
 * @returns `undefined` where the body is no array, or has no item
 */
export function splitBatch(body: Buffer, partsMax: number): BatchParts | undefined {
  const begin = skipSpace(body, 0, 1)
  const end = skipSpace(body, body.length - 1, -1)
  if (begin >= end || body[begin] !== 0x5b /* [ */ || body[end] !== 0x5d /* ] */) return undefined
  if (skipSpace(body, begin + 1, 1) === end) return undefined
  const parts: Buffer[] = []
  let count = 0
  let start = begin + 1
  const cut = (at: number) => {
    if (count++ < partsMax) parts.push(body.subarray(start, at))
    start = at + 1
  }
  let depth = 0
  for (let at = begin + 1; at < end; at++) {
    const byte = body[at]
    if (byte === quote) at = endOfString(body, at + 1)
    else if (byte === comma && depth === 0) cut(at)
    else if (byte === 0x7b /* { */ || byte === 0x5b) depth++
    else if (byte === 0x7d /* } */ || byte === 0x5d) depth--
  }
  cut(end)
  return { parts, count }
}

function endOfString(body: Buffer, start: number): number {
  for (let at = start; at < body.length; at++) {
    const byte = body[at]
    if (byte === quote) return at
    if (byte === backslash) at++
  }
  return body.length
}

function skipSpace(body: Buffer, start: number, step: 1 | -1): number {
  let at = start
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at += step
  return at
}
