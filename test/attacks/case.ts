/** An attack as data: what is sent on a connection of its own, and what may come back. */
export type Attack = {
  readonly name: string
  readonly bytes: string | Uint8Array
  /** The status of the first final answer; 0 where the connection is closed without one. */
  readonly answers: readonly number[]
  /** Sent after the first answer would have come: the frames of a WebSocket. */
  readonly then?: Uint8Array
}

const crlf = '\r\n'

/** A request as text, in one piece; nothing is added but the host and the token. */
export function plain(
  token: string,
  line: string,
  headers: readonly string[] = [],
  body: string | Uint8Array = '',
): Uint8Array {
  const lines = [line, 'host: gateway', ...(token ? [`authorization: Bearer ${token}`] : []), ...headers]
  return Buffer.concat([Buffer.from(lines.join(crlf) + crlf + crlf, 'latin1'), Buffer.from(body)])
}

/** A post of a body with its length. */
export function posted(
  token: string,
  contentType: string,
  body: string | Uint8Array,
  headers: readonly string[] = [],
): Uint8Array {
  const bytes = Buffer.from(body)
  return plain(
    token,
    'POST /v1/events HTTP/1.1',
    [`content-type: ${contentType}`, `content-length: ${bytes.length}`, ...headers],
    bytes,
  )
}
