/** TLS of the gateway itself. A new certificate is taken while connections stay open; one that is no good leaves the old in place. */
import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { createServer, type Server, type ServerOptions } from 'node:https'
import { createSecureContext } from 'node:tls'

export type TlsFiles = { readonly certFile: string; readonly keyFile: string }

export type Tls = {
  readonly createServer: (options: ServerOptions, listener: RequestListener) => Server
  readonly close: () => Promise<void>
}

type Pair = { readonly cert: string; readonly key: string; readonly minVersion: 'TLSv1.2' }

const handshakeTimeoutMs = 10_000
/** Polled: file watches miss what is mounted over a network or swapped by a symbolic link. */
const pollMsDefault = 2_000

/** @throws Error when the pair cannot be read, does not belong together or has expired */
export async function openTls(
  files: TlsFiles,
  onTrouble: (what: string, error: unknown) => void,
  pollMs = pollMsDefault,
): Promise<Tls> {
  let seen = await versionOf(files)
  let pair = await readPair(files)
  const servers = new Set<Server>()

  async function reload(): Promise<void> {
    const version = await versionOf(files)
    if (version === seen) return
    seen = version
    pair = await readPair(files)
    for (const server of servers) server.setSecureContext(pair)
  }

  let reloading = false
  const timer = setInterval(() => {
    if (reloading) return
    reloading = true
    void reload()
      .catch((error: unknown) => onTrouble('the new certificate is not used, the old one stays', error))
      .finally(() => (reloading = false))
  }, pollMs)

  return {
    createServer: (options, listener) => {
      const server = createServer(
        { ...options, ...pair, handshakeTimeout: handshakeTimeoutMs, ALPNProtocols: ['http/1.1'] },
        listener,
      )
      servers.add(server)
      return server
    },
    close: () => {
      clearInterval(timer)
      return Promise.resolve()
    },
  }
}

/** Both files are written one after the other: a pair that does not fit is looked at again when the second has changed. */
async function versionOf({ certFile, keyFile }: TlsFiles): Promise<string> {
  const stats = await Promise.all([stat(certFile), stat(keyFile)])
  return stats.map(({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`).join(', ')
}

async function readPair({ certFile, keyFile }: TlsFiles): Promise<Pair> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')])
  const pair: Pair = { cert, key, minVersion: 'TLSv1.2' }
  createSecureContext(pair) // throws when the key is not the certificate's
  const { validTo } = new X509Certificate(cert)
  if (Date.parse(validTo) <= Date.now()) throw new Error(`the certificate in ${certFile} has expired: ${validTo}`)
  return pair
}
