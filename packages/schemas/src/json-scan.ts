/** Passes over the bytes of JSON: what `JSON.parse` would lose of it, so that hardly any event needs a closer look, and what is too much for it. */

/** A record is nested no deeper, whatever its format. */
export const nestingMax = 64
/** Names are compared with one another, so an object with more is left to the closer look. */
const namesMax = 128
/** How many names all objects with more than `namesMax` may have together: to parse as many takes some 10 ms, and to look closer as long. */
const largeNamesMax = 16_384
/** As in `"a":1,`. */
const memberBytesMin = 6
/** How many objects and lists there may be: to parse as many takes some 20 ms. */
const structuresMax = 131_072
const digitsMax = 15
/** A longer number may be too small for a double without having an exponent. */
const numberLengthMax = 300

const quote = 0x22
const backslash = 0x5c

/** Scratch, since a pass is never interrupted: how many names each open object has, and their hashes. */
const counts = new Int32Array(nestingMax + 1)
const hashes = new Int32Array((nestingMax + 1) * namesMax)

/**
 * Whether JSON says nothing that `JSON.parse` would lose or hide: integers beyond 2^53, numbers out of range, names given twice, U+0000,
 * lone surrogates, nesting beyond `nestingMax`. False where it takes a closer look to tell; without meaning where the bytes are not JSON.
 */
export function isPlainJson(bytes: Uint8Array): boolean {
  let depth = 0
  let nameStart = 0
  let nameEnd = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === quote) {
      nameStart = at + 1
      at = nameEnd = endOfString(bytes, nameStart)
      if (at < 0) return false
    } else if (byte === 0x3a /* : */) {
      if (isDoubtfulName(bytes, nameStart, nameEnd, depth)) return false
    } else if (isDigit(byte)) {
      at = endOfNumber(bytes, at)
      if (at < 0) return false
    } else if (byte === 0x7b /* { */ || byte === 0x5b /* [ */) {
      if (++depth > nestingMax) return false
      counts[depth] = 0
    } else if (byte === 0x7d /* } */ || byte === 0x5d /* ] */) {
      depth--
    }
  }
  return true
}

/**
 * What there is too much of for `JSON.parse`, which does all of its work in one turn of the event loop: objects and lists, or names in objects
 * with more than `namesMax`. Objects of few names are of few shapes, which it knows after the first; each name of a large one is work of its own.
 * @returns what is wrong, as of an event; `undefined` where nothing is
 */
export function excessIn(bytes: Uint8Array): string | undefined {
  if (bytes.length <= Math.min(largeNamesMax * memberBytesMin, structuresMax)) return undefined
  let depth = 0
  let structures = 0
  let large = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === quote) at = closingQuote(bytes, at + 1)
    else if (byte === 0x3a /* : */) {
      const count = (counts[depth] ?? 0) + 1
      counts[depth] = count
      // What is nested deeper than is counted is refused in the end, but parsed before.
      if (count > namesMax + 1 || depth > nestingMax) large += 1
      else if (count === namesMax + 1) large += count
      if (large > largeNamesMax) {
        return `has more than ${largeNamesMax} members in large objects: send several events, or a list of entries`
      }
    } else if (byte === 0x7b /* { */ || byte === 0x5b /* [ */) {
      if (++structures > structuresMax) return `has more than ${structuresMax} objects and lists: send several events`
      counts[++depth] = 0
    } else if (byte === 0x7d /* } */ || byte === 0x5d /* ] */) {
      depth--
    }
  }
  return undefined
}

function closingQuote(bytes: Uint8Array, start: number): number {
  let at = start
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  return at
}

/** Where a string's closing quote is; negative when it holds an escape that needs a closer look. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) return at
    if (byte !== backslash) continue
    at++
    if (bytes[at] !== 0x75 /* u */) continue
    const unit = codeUnit(bytes, at + 1)
    if (unit === 0 || (unit >= 0xdc00 && unit <= 0xdfff)) return -1
    at += 4
    if (unit < 0xd800 || unit > 0xdbff) continue
    if (bytes[at + 1] !== backslash || bytes[at + 2] !== 0x75) return -1
    const low = codeUnit(bytes, at + 3)
    if (low < 0xdc00 || low > 0xdfff) return -1
    at += 6
  }
  return bytes.length
}

function codeUnit(bytes: Uint8Array, start: number): number {
  let unit = 0
  for (let at = start; at < start + 4; at++) {
    const byte = bytes[at] ?? 0
    unit = unit * 16 + (isDigit(byte) ? byte - 0x30 : (byte | 0x20) - 0x57)
  }
  return unit
}

/** Where a number's last byte is; negative when a double might not hold it. */
function endOfNumber(bytes: Uint8Array, start: number): number {
  let at = start
  let digits = 0
  let integer = true
  for (; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (isDigit(byte)) digits++
    else if (byte === 0x2e /* . */) {
      if (digits > numberLengthMax) return -1
      integer = false
    } else if (byte === 0x65 || byte === 0x45 /* e, E */) return -1
    else break
  }
  return digits > (integer ? digitsMax : numberLengthMax) ? -1 : at - 1
}

function isDoubtfulName(bytes: Uint8Array, start: number, end: number, depth: number): boolean {
  let hash = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0
    if (byte === backslash) return true
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  const count = counts[depth] ?? 0
  if (count === namesMax) return true
  const first = depth * namesMax
  for (let at = first; at < first + count; at++) {
    if (hashes[at] === hash) return true
  }
  hashes[first + count] = hash
  counts[depth] = count + 1
  return false
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}
