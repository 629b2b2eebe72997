/** A closer look at JSON in which `JSON.parse` would lose or hide something: what that is stays in the value, as a mark in its place. */
import { nestingMax } from './json-scan.ts'

/** An integer beyond 2^53, digit by digit as it was sent: formats with 64-bit integers take it, JSON does not. */
export class ExactInteger {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }

  /** As Protobuf's JSON encoding has it, so that no digit is lost even where nobody expects one of these. */
  toJSON(): string {
    return this.source
  }
}

/** Stands where something was sent that no format can take. */
export class Unstorable {
  readonly detail: string

  constructor(detail: string) {
    this.detail = detail
  }
}

export const tooDeep = `is nested deeper than ${nestingMax} levels`
const integer = /^-?\d+$/

const quote = 0x22
const backslash = 0x5c
const openObject = 0x7b
const closeObject = 0x7d
const openArray = 0x5b
const closeArray = 0x5d

/** Puts marks into `value`, which is what `JSON.parse` has made of the text: it has no errors of its own to tell. */
export function markLosses(text: string, value: unknown): unknown {
  return new Marker(text).value(1, value)
}

class Marker {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Reads the next value; what is to stand for it, mostly `parsed` itself. */
  value(level: number, parsed: unknown): unknown {
    const first = this.#next()
    if (first === quote) return this.#string(parsed)
    if (first !== openObject && first !== openArray) return this.#literal(parsed)
    // One level more than an event may have, for the batch around it.
    if (level > nestingMax + 1) return this.#skip()
    return first === openObject ? this.#object(level, parsed) : this.#array(level, parsed)
  }

  #object(level: number, parsed: unknown): unknown {
    const names = new Set<string>()
    this.#at++
    while (this.#next() !== closeObject) {
      const raw = this.#raw()
      const name = unescaped(raw)
      const child = ownMember(parsed, name)
      const value = this.value(level + 1, child)
      // What stands under a name given twice is of no meaning until this replaces it.
      const defect = names.has(name) ? 'is given more than once' : textDefect(raw, name)
      if (defect !== undefined) put(parsed, name, new Unstorable(defect))
      else if (value !== child) put(parsed, name, value)
      names.add(name)
    }
    this.#at++
    return parsed
  }

  #array(level: number, parsed: unknown): unknown {
    this.#at++
    for (let index = 0; this.#next() !== closeArray; index++) {
      const child: unknown = Array.isArray(parsed) ? parsed[index] : undefined
      const value = this.value(level + 1, child)
      if (value !== child) put(parsed, String(index), value)
    }
    this.#at++
    return parsed
  }

  #string(parsed: unknown): unknown {
    const raw = this.#raw()
    const defect = textDefect(raw, parsed)
    return defect === undefined ? parsed : new Unstorable(defect)
  }

  #literal(parsed: unknown): unknown {
    const start = this.#at
    while (!endsLiteral(this.#text.charCodeAt(this.#at))) this.#at++
    return typeof parsed === 'number' ? exactNumber(parsed, this.#text.slice(start, this.#at)) : parsed
  }

  /** Passes a string; what stands between its quotes. */
  #raw(): string {
    const start = ++this.#at
    for (let code = this.#text.charCodeAt(start); code !== quote; code = this.#text.charCodeAt(this.#at)) {
      this.#at += code === backslash ? 2 : 1
    }
    return this.#text.slice(start, this.#at++)
  }

  /** Passes an object or array without going into it. */
  #skip(): Unstorable {
    let open = 0
    do {
      const code = this.#text.charCodeAt(this.#at)
      if (code === quote) this.#raw()
      else this.#at++
      if (code === openObject || code === openArray) open++
      else if (code === closeObject || code === closeArray) open--
    } while (open > 0)
    return new Unstorable(tooDeep)
  }

  /** Goes to what is neither space nor separator. */
  #next(): number {
    let code = this.#text.charCodeAt(this.#at)
    while (code <= 0x20 || code === 0x2c || code === 0x3a) code = this.#text.charCodeAt(++this.#at)
    return code
  }
}

function endsLiteral(code: number): boolean {
  return !(code > 0x20) || code === 0x2c || code === closeArray || code === closeObject
}

function exactNumber(value: number, source: string): number | ExactInteger | Unstorable {
  if (!Number.isSafeInteger(value) && integer.test(source)) return new ExactInteger(source)
  if (!Number.isFinite(value)) return new Unstorable('is too large for a number')
  return value === 0 && /^-?[0.]*[1-9]/.test(source) ? new Unstorable('is too small for a number') : value
}

function unescaped(raw: string): string {
  return raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw
}

/** Other systems cut a text at U+0000, and write something else for half a surrogate pair. Both are sent as escapes. */
function textDefect(raw: string, text: unknown): string | undefined {
  if (typeof text !== 'string' || !raw.includes('\\')) return undefined
  if (text.includes('\0')) return 'holds the character U+0000'
  return text.isWellFormed() ? undefined : 'holds half a surrogate pair, which is no character'
}

function ownMember(container: unknown, name: string): unknown {
  const isOwn = typeof container === 'object' && container !== null && Object.hasOwn(container, name)
  return isOwn ? Reflect.get(container, name) : undefined
}

/** Defines instead of assigning, so that __proto__ is a name like any other. */
function put(container: unknown, name: string, value: unknown): void {
  if (typeof container !== 'object' || container === null) return
  Object.defineProperty(container, name, { value, enumerable: true, configurable: true, writable: true })
}
