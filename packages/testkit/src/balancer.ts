import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type Balancer = { readonly url: string; readonly close: () => void }

/**
 * A plain TCP balancer on loopback: connections go to the ports in turn, and to the next when one refuses. It knows nothing of HTTP
 * and asks nobody for their health, which is the least that a balancer can do.
 */
export async function openBalancer(ports: readonly number[]): Promise<Balancer> {
  let next = 0
  const open = new Set<Socket>()
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (client) => {
    keep(open, client)
    const first = next++
    void firstThatTakes(ports.map((_, index) => ports[(first + index) % ports.length] ?? 0)).then((upstream) => {
      if (upstream) {
        keep(open, upstream)
        join(client, upstream)
      } else client.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

async function firstThatTakes(ports: readonly number[]): Promise<Socket | undefined> {
  for (const port of ports) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const taken = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    if (taken) return socket
  }
  return undefined
}

/** What one side says the other hears: bytes, their end, and a broken connection too. */
function join(client: Socket, upstream: Socket): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.pipe(to)
    from.on('error', () => to.resetAndDestroy())
    from.on('close', () => to.destroy())
  }
}

function keep(open: Set<Socket>, socket: Socket): void {
  open.add(socket)
  socket.on('close', () => open.delete(socket))
  socket.on('error', () => undefined) // the other side is told by `join`
}
