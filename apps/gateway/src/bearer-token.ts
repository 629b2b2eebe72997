/** The token of an `Authorization: Bearer …` header. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header ?? '')?.[1]
}

/** The token of a browser's WebSocket, which can set no header: the subprotocol pair `bearer`, `<JWT>`. */
export function subprotocolToken(header: string | undefined): string | undefined {
  const [scheme, token] = (header ?? '').split(',').map((word) => word.trim())
  return scheme === 'bearer' ? token : undefined
}
