/**
 * The bodies that are posted. Every event has an id of its own, and one of 1 000 keys: a body is a copy of one template, in which only
 * these bytes are written anew, so that making it costs the load generator next to nothing.
 */
import { Buffer } from 'node:buffer'

export type Mode = 'single' | 'batch'

export const batchEvents = 100
const idDigits = 16
const idMark = '#'.repeat(idDigits)
const keys = 1_000
const keyDigits = 4
const keyStart = 'sensor-'
const keyMark = '@'.repeat(keyDigits)

/** Makes the bytes of the next body; no two have an id in common. */
export type Bodies = { readonly next: () => Buffer; readonly length: number }

/** The events of one type as JSON: a structured CloudEvent, or an array of them. `head` is put before each body as it is. */
export function jsonBodies(type: string, mode: Mode, head: (length: number) => string = () => ''): Bodies {
  const event = JSON.stringify(eventOf(type))
  const body = mode === 'single' ? event : `[${Array.from({ length: batchEvents }, () => event).join(',')}]`
  const template = Buffer.from(head(Buffer.byteLength(body)) + body, 'latin1')
  const ids = placesOf(template, idMark)
  const keyPlaces = placesOf(template, keyMark)
  return {
    length: Buffer.byteLength(body),
    next: () => {
      const bytes = Buffer.from(template)
      ids.forEach((place, index) => {
        const id = nextId()
        bytes.write(padded(id, idDigits), place, 'latin1')
        bytes.write(padded(id % keys, keyDigits), keyPlaces[index] ?? 0, 'latin1')
      })
      return bytes
    },
  }
}

/** The key of an event, found without reading it: the first thing in it that looks like one. */
export function keyIn(event: Buffer): Buffer {
  const start = event.indexOf(keyStart, 0, 'latin1')
  if (start === -1) throw new TypeError('not an event')
  return event.subarray(start, start + keyStart.length + keyDigits)
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

function eventOf(type: string): unknown {
  return {
    specversion: '1.0',
    id: idMark,
    source: '/bench',
    type,
    time: '2030-01-01T00:00:00Z',
    data: {
      sensor: `${keyStart}${keyMark}`,
      at: '2030-01-01T00:00:00.123Z',
      temperature: 21.375,
      humidity: 43,
      status: 'ok',
      firmware: '4.11.2-rc1',
      battery: 0.87,
      location: { latitude: 52.520008, longitude: 13.404954, site: 'warehouse-7, hall 3' },
      tags: ['indoor', 'calibrated', 'zone-north'],
    },
  }
}

function placesOf(template: Buffer, mark: string): number[] {
  const places: number[] = []
  for (let at = template.indexOf(mark); at !== -1; at = template.indexOf(mark, at + mark.length)) places.push(at)
  return places
}
