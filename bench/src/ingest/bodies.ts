/**
 * Bodies that cost the load generator next to nothing: each is a copy of one template, in which only the id and the key of every event
 * are written anew. Every event has an id of its own, and one of 1 000 keys.
 */
import { Buffer } from 'node:buffer'

/** Something to be posted. Where an event's id is, it has `idMark`; where its key is, the mark of `key`. */
export type Template = { readonly bytes: Buffer; readonly key: KeyText }

/** How keys are written. All of one length, which is what lets them be written over the mark. */
export type KeyText = { readonly mark: string; readonly texts: readonly string[] }

const idDigits = 16
const keys = 1_000
const keyDigits = 4
export const idMark = '#'.repeat(idDigits)
const keyMark = '@'.repeat(keyDigits)
const keyStart = 'sensor-'

/** The sensor, which is the key, before its number is written into it. */
export const sensorMark = `${keyStart}${keyMark}`

export const plainKey: KeyText = {
  mark: keyMark,
  texts: Array.from({ length: keys }, (_, key) => padded(key, keyDigits)),
}

/** How keys are written in data that is sent in Base64: as the groups of four characters that hold their bytes. */
export function base64Key(data: Buffer): KeyText {
  const at = data.indexOf(keyMark, 0, 'latin1')
  const start = Math.floor(at / 3) * 3
  const groups = data.subarray(start, Math.ceil((at + keyDigits) / 3) * 3)
  const textOf = (key: string): string => {
    const bytes = Buffer.from(groups)
    bytes.write(key, at - start, 'latin1')
    return bytes.toString('base64')
  }
  return { mark: textOf(keyMark), texts: plainKey.texts.map(textOf) }
}

/** Makes the bytes of the next body at each call; no two have an id in common. */
export function bodiesOf({ bytes: template, key }: Template): () => Buffer {
  const ids = placesOf(template, idMark)
  const keyPlaces = placesOf(template, key.mark)
  return () => {
    const bytes = Buffer.from(template)
    ids.forEach((place, index) => {
      const id = nextId()
      bytes.write(padded(id, idDigits), place, 'latin1')
      bytes.write(key.texts[id % keys] ?? '', keyPlaces[index] ?? 0, 'latin1')
    })
    return bytes
  }
}

/** The key of an event, found without reading it: the first thing in it that looks like one. */
export function keyIn(event: Buffer): Buffer {
  const start = event.indexOf(keyStart, 0, 'latin1')
  if (start === -1) throw new TypeError('not an event')
  return event.subarray(start, start + sensorMark.length)
}

let idsGiven = 0
/** Microseconds since the epoch at the start, so that ids of two runs differ too. */
const firstId = Date.now() * 1_000

function nextId(): number {
  idsGiven += 1
  return firstId + idsGiven
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0')
}

function placesOf(template: Buffer, mark: string): number[] {
  const places: number[] = []
  for (let at = template.indexOf(mark); at !== -1; at = template.indexOf(mark, at + mark.length)) places.push(at)
  return places
}
