/** A subscriber of a live stream that takes nothing until it is told to, and never answers a ping: what no client would do. */
import { request } from 'node:http'
import type { Readable } from 'node:stream'
import type { Socket } from 'node:net'

export type SlowSubscriber = {
  /** Takes what has come, and what comes from now on. */
  readonly read: () => void
  /** The frames' texts in JSON, as far as they were read: of WebSockets as they are, of server-sent events their data. */
  readonly texts: () => string[]
  /** Answers a ping that was not read. */
  readonly pong: () => void
  readonly leave: () => void
  /** Fulfilled when the connection is closed, as far as one that does not read can know. */
  readonly closed: Promise<void>
}

export type StreamKind = 'websocket' | 'sse'

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': Buffer.from('0123456789abcdef').toString('base64'),
}
const maskedPong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])

/** @param url of the stream, in HTTP */
export async function subscribeSlowly(url: string, authorization: string, kind: StreamKind): Promise<SlowSubscriber> {
  const headers = kind === 'websocket' ? upgrade : { accept: 'text/event-stream' }
  const { stream, socket } = await opened(url, { authorization, ...headers })
  const chunks: Buffer[] = []
  // A reset is what it must expect.
  for (const end of [stream, socket]) end.on('error', () => undefined)
  return {
    read: () => {
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    },
    texts: () => {
      const bytes = Buffer.concat(chunks)
      return kind === 'websocket' ? textFrames(bytes) : eventData(bytes.toString())
    },
    pong: () => {
      if (socket.writable) socket.write(maskedPong)
    },
    leave: () => socket.destroy(),
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
  }
}

function opened(url: string, headers: Record<string, string>): Promise<{ stream: Readable; socket: Socket }> {
  const asked = request(url, { agent: false, headers })
  return new Promise((resolve, reject) => {
    asked.on('error', reject)
    asked.on('upgrade', ({ socket }, stream, head) => {
      stream.unshift(head)
      resolve({ stream, socket })
    })
    asked.on('response', (answer) => {
      if (answer.statusCode === 200) resolve({ stream: answer, socket: answer.socket })
      else reject(new Error(`a subscriber was answered ${answer.statusCode}`))
    })
    asked.end()
  })
}

const textFrame = 0x81

/** The texts of whole, unmasked frames; pings and the like are passed over. @see RFC 6455 §5.2 */
function textFrames(bytes: Buffer): string[] {
  const texts: string[] = []
  for (let at = 0; at + 10 <= bytes.length;) {
    const short = bytes[at + 1] ?? 0
    const head = short < 126 ? 2 : short === 126 ? 4 : 10
    const length = head === 2 ? short : head === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    const end = at + head + length
    if (end > bytes.length) break
    if (bytes[at] === textFrame) texts.push(bytes.toString('utf8', at + head, end))
    at = end
  }
  return texts
}

function eventData(text: string): string[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .flatMap((block) => /^data: (.*)$/m.exec(block)?.[1] ?? [])
}
