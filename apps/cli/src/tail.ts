import { MillraceError } from '@millrace/core/errors'
import { gatewayUrl } from '@millrace/stack/servers/gateway'
import { mintToken } from '@millrace/stack/token'
import { runningInstallation } from './running.ts'
import type { RunningOptions } from './settings.ts'

export type TailOptions = RunningOptions & { readonly limit?: number }

const tokenTtlSeconds = 3_600

/** `millrace tail <topic>`: every new event of a topic as a line of JSON, through the gateway like any other reader. */
export async function tail(topic: string, options: TailOptions): Promise<void> {
  const { installation } = await runningInstallation(options)
  const claims = { subject: 'millrace-tail', scopes: ['events:read:*', 'dlq:read:*'], ttlSeconds: tokenTtlSeconds }
  const token = await mintToken(installation.secrets, claims)
  const url = new URL('/v1/events/stream', gatewayUrl(installation).replace('http', 'ws'))
  url.searchParams.set('topic', topic)
  const socket = new WebSocket(url, ['bearer', token])
  let shown = 0
  socket.addEventListener('message', ({ data }) => {
    process.stdout.write(`${String(data)}\n`)
    shown += 1
    if (shown === options.limit) socket.close()
  })
  process.once('SIGINT', () => socket.close())
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('close', () => resolve())
    socket.addEventListener('error', () =>
      reject(new MillraceError('stack.failed', `the gateway gives no stream of ${topic}`)),
    )
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      socket.close()
      if (error.code !== 'EPIPE') reject(error) // EPIPE: its reader has seen enough, as `head` does
    })
  })
}
