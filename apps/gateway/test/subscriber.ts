import type { StoredRecord } from '@millrace/kafka/reader'
import * as z from 'zod'
import type { EventItem } from '../src/event-item.ts'
import type { Outlet } from '../src/outlet.ts'

const frameShape = z.union([
  z.strictObject({ gap: z.strictObject({ count: z.int(), from: z.string(), to: z.string() }) }),
  z.strictObject({ cursor: z.string() }),
  z.object({ event: z.object({ id: z.string() }), partition: z.int(), offset: z.int(), cursor: z.string() }),
])

export type Frame = z.infer<typeof frameShape>

/** The end of a WebSocket whose reader can be made slow, and what it was sent. */
export function subscriber() {
  const chunks: Buffer[] = []
  const ended: number[] = []
  const state = { bufferedBytes: 0 }
  const outlet: Outlet = {
    encoding: 'websocket',
    bufferedBytes: () => state.bufferedBytes,
    write: (bytes) => chunks.push(bytes),
    drained: () => Promise.resolve(),
    probe: () => undefined,
    isAlive: () => true,
    end: (code) => ended.push(code),
    destroy: () => undefined,
  }
  const frames = (): Frame[] => textsOf(Buffer.concat(chunks)).map((text) => frameShape.parse(JSON.parse(text)))
  return {
    outlet,
    state,
    /** The codes that it was ended with. */
    ended,
    writes: () => chunks.length,
    frames,
    ids: () => frames().flatMap((frame) => idOf(frame) ?? []),
  }
}

function idOf(frame: Frame): string | undefined {
  return 'event' in frame ? frame.event.id : undefined
}

/** The texts of unmasked WebSocket text frames. @see RFC 6455 §5.2 */
export function textsOf(bytes: Buffer): string[] {
  const texts: string[] = []
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== 0x81) throw new Error('not a whole text frame')
    const short = bytes[at + 1] ?? 0
    const head = short < 126 ? 2 : short === 126 ? 4 : 10
    const length = head === 2 ? short : head === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    texts.push(bytes.toString('utf8', at + head, at + head + length))
    at += head + length
  }
  return texts
}

export function item(id: string, partition: number, offset: number, data: EventItem['event'] = {}): EventItem {
  const event = { specversion: '1.0', id, source: '/s', type: 't', time: '2030-01-01T00:00:00Z', data }
  return { event, partition, offset, timestamp: '2030-01-01T00:00:00.000Z' }
}

export function record(topic: string, id: string, partition: number, offset: bigint, value = '{}'): StoredRecord {
  const attributes = {
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: '/s',
    ce_type: 't',
    ce_time: '2030-01-01T00:00:00Z',
  }
  const headers = new Map(Object.entries(attributes))
  return { topic, partition, offset, timestampMs: 0, key: null, value: Buffer.from(value), headers }
}
