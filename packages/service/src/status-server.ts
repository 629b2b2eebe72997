import { createServer } from 'node:http'
import type { Metrics } from './metrics.ts'

export type StatusServerOptions = {
  readonly host: string
  readonly port: number
  readonly isReady: () => boolean
  readonly metrics: Metrics
}

/** For services without an API of their own: `/health/live`, `/health/ready` and `/metrics`. */
export async function openStatusServer(options: StatusServerOptions): Promise<{ close: () => Promise<void> }> {
  const { host, port, isReady, metrics } = options
  const server = createServer((request, response) => {
    switch (request.url) {
      case '/health/live':
        response.writeHead(200).end()
        return
      case '/health/ready':
        response.writeHead(isReady() ? 200 : 503).end()
        return
      case '/metrics':
        void metrics.exposition().then(({ contentType, body }) => {
          response.writeHead(200, { 'content-type': contentType }).end(body)
        })
        return
      default:
        response.writeHead(404).end()
    }
  })
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  server.once('error', reject)
  server.listen(port, host, () => resolve(undefined))
  await promise
  return {
    close: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
