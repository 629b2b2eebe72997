/** A closer look at JSON in which `JSON.parse` would lose or hide something: what that is stays in the value, as a mark in its place. */
import { emptyName, longerName, NameTable } from './json-names.ts'
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

/** An integer of so many digits is below 2^53, and without an exponent no shorter number is out of range. */
const plainLengthMax = 15
const quote = 0x22
const backslash = 0x5c
/** What an escape stands for that is not the character itself: \b, \f, \n, \r, \t. */
const letters: Readonly<Record<number, number>> = { 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9 }
const openObject = 0x7b
const closeObject = 0x7d
const openArray = 0x5b
const closeArray = 0x5d

/**
 * Puts marks into `value`, which is what `JSON.parse` has made of the text: it has no errors of its own to tell.
 * @returns what stands for the value, mostly itself, and whether anything is marked in it
 */
export function markLosses(text: string, value: unknown): { readonly value: unknown; readonly isMarked: boolean } {
  const holder = { value }
  const marker = new Marker(text)
  marker.pass(1, { container: holder, parent: undefined, start: 0, end: 0, index: 'value' })
  return { value: holder.value, isMarked: marker.isMarked }
}

/** Where something stands in the parsed value. Its container is looked up when a mark is put into it: most need none. */
type Place = {
  container: unknown
  /** Where the container stands. */
  readonly parent: Place | undefined
  /** Where in the text its name is, between the quotes. */
  start: number
  end: number
  /** In an array; or a name that is in no text. */
  index: number | string | undefined
}

class Marker {
  isMarked = false
  readonly #text: string
  readonly #names: NameTable
  #at = 0
  #objects = 0
  /** Of the string last passed: its hash, and what may be wrong with its escapes. */
  #hash = 0
  #hasNul = false
  #hasSurrogate = false

  constructor(text: string) {
    this.#text = text
    this.#names = new NameTable(text)
  }

  /** Reads the next value. */
  pass(level: number, place: Place): void {
    const first = this.#next()
    if (first === quote) this.#passString(place)
    else if (first !== openObject && first !== openArray) this.#passLiteral(place)
    // One level more than an event may have, for the batch around it.
    else if (level > nestingMax + 1) this.#mark(place, this.#skip())
    else if (first === openObject) this.#passObject(level, place)
    else this.#passArray(level, place)
  }

  #passObject(level: number, outer: Place): void {
    const object = ++this.#objects
    const place = inside(outer)
    const isSame = (start: number, end: number) => this.#name(start, end) === this.#name(place.start, place.end)
    this.#at++
    while (this.#next() !== closeObject) {
      place.start = this.#at + 1
      this.#string()
      place.end = this.#at - 1
      // What stands under a name given twice is of no meaning until this replaces it.
      const isRepeated = this.#names.add(this.#hash, object, place.start, place.end, isSame)
      const defect = isRepeated ? 'is given more than once' : this.#textDefect(place.start)
      this.pass(level + 1, place)
      if (defect !== undefined) this.#mark(place, new Unstorable(defect))
    }
    this.#at++
  }

  #passArray(level: number, outer: Place): void {
    const place = inside(outer)
    this.#at++
    for (let index = 0; this.#next() !== closeArray; index++) {
      place.index = index
      this.pass(level + 1, place)
    }
    this.#at++
  }

  #passString(place: Place): void {
    const start = this.#at + 1
    this.#string()
    const defect = this.#textDefect(start)
    if (defect !== undefined) this.#mark(place, new Unstorable(defect))
  }

  #passLiteral(place: Place): void {
    const start = this.#at
    let hasExponent = false
    let code = this.#text.charCodeAt(start)
    const isNumber = code === 0x2d || isDigit(code)
    for (; !endsLiteral(code); code = this.#text.charCodeAt(++this.#at)) hasExponent ||= (code | 0x20) === 0x65
    if (!isNumber || (!hasExponent && this.#at - start <= plainLengthMax)) return
    const mark = numberMark(this.#text.slice(start, this.#at))
    if (mark) this.#mark(place, mark)
  }

  /** Passes a string, with a look at its escapes. */
  #string(): void {
    this.#hash = emptyName
    this.#hasNul = this.#hasSurrogate = false
    for (let code = this.#text.charCodeAt(++this.#at); code !== quote; code = this.#text.charCodeAt(++this.#at)) {
      this.#hash = longerName(this.#hash, code === backslash ? this.#escape() : code)
    }
    this.#at++
  }

  /** Passes an escape up to its last character; what it stands for. */
  #escape(): number {
    const letter = this.#text.charCodeAt(++this.#at)
    if (letter !== 0x75 /* u */) return letters[letter] ?? letter
    let code = 0
    for (let digit = 0; digit < 4; digit++) {
      const hex = this.#text.charCodeAt(++this.#at)
      code = code * 16 + (isDigit(hex) ? hex - 0x30 : (hex | 0x20) - 0x57)
    }
    if (code === 0) this.#hasNul = true
    else if (code >= 0xd800 && code <= 0xdfff) this.#hasSurrogate = true
    return code
  }

  /** Other systems cut a text at U+0000, and write something else for half a surrogate pair. Both are sent as escapes. */
  #textDefect(start: number): string | undefined {
    if (this.#hasNul) return 'holds the character U+0000'
    const isBroken = this.#hasSurrogate && !unescaped(this.#text.slice(start, this.#at - 1)).isWellFormed()
    return isBroken ? 'holds half a surrogate pair, which is no character' : undefined
  }

  /** Passes an object or array without going into it. */
  #skip(): Unstorable {
    let open = 0
    do {
      const code = this.#text.charCodeAt(this.#at)
      if (code === quote) this.#string()
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

  #name(start: number, end: number): string {
    return unescaped(this.#text.slice(start, end))
  }

  #mark(place: Place, mark: ExactInteger | Unstorable): void {
    this.isMarked = true
    put(this.#container(place), this.#key(place), mark)
  }

  #container(place: Place): unknown {
    const { parent } = place
    if (place.container === unknown && parent) place.container = ownMember(this.#container(parent), this.#key(parent))
    return place.container
  }

  #key({ start, end, index }: Place): string | number {
    return index ?? this.#name(start, end)
  }
}

/** Stands for a container that was not looked up. */
const unknown = Symbol('unknown')

/** The place of what is in an object or array, one after another. */
function inside(parent: Place): Place {
  return { container: unknown, parent, start: 0, end: 0, index: undefined }
}

function endsLiteral(code: number): boolean {
  return !(code > 0x20) || code === 0x2c || code === closeArray || code === closeObject
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function numberMark(source: string): ExactInteger | Unstorable | undefined {
  const value = Number(source)
  if (Number.isSafeInteger(value) && value !== 0) return undefined
  if (!Number.isSafeInteger(value) && integer.test(source)) return new ExactInteger(source)
  if (!Number.isFinite(value)) return new Unstorable('is too large for a number')
  return value === 0 && /^-?[0.]*[1-9]/.test(source) ? new Unstorable('is too small for a number') : undefined
}

function unescaped(raw: string): string {
  return raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw
}

function ownMember(container: unknown, key: string | number): unknown {
  const isOwn = typeof container === 'object' && container !== null && Object.hasOwn(container, key)
  return isOwn ? Reflect.get(container, key) : undefined
}

/** Defines instead of assigning, so that __proto__ is a name like any other. */
function put(container: unknown, key: string | number, mark: ExactInteger | Unstorable): void {
  if (Array.isArray(container)) container[Number(key)] = mark
  else if (typeof container === 'object' && container !== null) {
    Object.defineProperty(container, key, { value: mark, enumerable: true, configurable: true, writable: true })
  }
}
