/**
 * What streams send, as bytes that are the same for every subscriber of a kind, so that they are made once.
 * An event is one frame; so is a control frame, an object with a single key: `{"gap": {"count", "from", "to"}}` where events were missed
 * (`from` and `to` are cursors; `count` is exact for a slow reader, an upper bound for what retention took, and without what was left of
 * a topic that was deleted and made anew, which nobody can tell) and `{"cursor"}` where nothing matched a filter for a while.
 */
import { encodeCursor } from './cursor.ts'
import type { EventItem } from './event-item.ts'

export type Encoding = 'websocket' | 'sse'

/** A control frame. In SSE the event `gap` has its data, and a cursor has none: it is the id alone. */
export type Control =
  { readonly gap: { readonly count: number; readonly from: string; readonly to: string } } | { readonly cursor: string }

export function controlFrame(encoding: Encoding, control: Control): Buffer {
  const text = JSON.stringify(control)
  if (encoding === 'websocket') return webSocketFrame(text)
  return 'gap' in control
    ? Buffer.from(`id: ${control.gap.to}\nevent: gap\ndata: ${text}\n\n`)
    : Buffer.from(`id: ${control.cursor}\n\n`)
}

/** One event with the cursor after it. */
export function eventFrame(encoding: Encoding, item: EventItem, cursor: string): Buffer {
  return encoded(encoding, JSON.stringify({ ...item, cursor }), cursor)
}

function encoded(encoding: Encoding, text: string, cursor: string): Buffer {
  return encoding === 'websocket' ? webSocketFrame(text) : Buffer.from(`id: ${cursor}\ndata: ${text}\n\n`)
}

const finalText = 0x81
const shortLengthMax = 125
const mediumLengthMax = 0xffff

/** A whole, unmasked text frame, as a server sends it. @see RFC 6455 §5.2 */
export function webSocketFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const head = length <= shortLengthMax ? 2 : length <= mediumLengthMax ? 4 : 10
  const frame = Buffer.allocUnsafe(head + length)
  frame[0] = finalText
  if (head === 2) frame[1] = length
  else if (head === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(text, head)
  return frame
}

type Position = { readonly partition: number; readonly offset: number }

/** Events of a topic in the order in which they came, with the cursors between them. What is sent of it is made once for all. */
export class Batch {
  readonly items: readonly EventItem[]
  /** The cursor before the first event and after the last. */
  readonly before: string
  readonly after: string
  readonly #cursors: readonly string[]
  readonly #texts: string[] = []
  readonly #frames = { websocket: new Map<number, Buffer>(), sse: new Map<number, Buffer>() }
  readonly #whole = new Map<Encoding, Buffer>()

  /** @param next the offsets by partition before the batch; after it they are those behind it */
  constructor(topic: string, next: Map<number, bigint>, items: readonly EventItem[]) {
    this.items = items
    this.before = encodeCursor(topic, next)
    this.#cursors = items.map((item) => {
      advance(next, item)
      return encodeCursor(topic, next)
    })
    this.after = this.#cursors.at(-1) ?? this.before
  }

  /** The frame of one event. */
  frame(encoding: Encoding, index: number): Buffer {
    const frames = this.#frames[encoding]
    const made = frames.get(index)
    if (made) return made
    const [item, cursor = ''] = [this.items[index], this.#cursors[index]]
    const text = (this.#texts[index] ??= JSON.stringify({ ...item, cursor }))
    const frame = encoded(encoding, text, cursor)
    frames.set(index, frame)
    return frame
  }

  /** The cursor after an event. */
  cursor(index: number): string {
    return this.#cursors[index] ?? this.before
  }

  /** All frames, end to end. */
  whole(encoding: Encoding): Buffer {
    const made = this.#whole.get(encoding)
    if (made) return made
    const whole = Buffer.concat(this.items.map((_item, index) => this.frame(encoding, index)))
    this.#whole.set(encoding, whole)
    return whole
  }
}

export function advance(next: Map<number, bigint>, { partition, offset }: Position): void {
  next.set(partition, BigInt(offset) + 1n)
}
