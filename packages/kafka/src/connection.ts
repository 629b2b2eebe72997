import type { Base, BaseOptions } from '@platformatic/kafka'

/** How to reach a cluster, and as whom: always TLS with a private CA and SCRAM-SHA-512; there is no other way in. */
export type KafkaConnection = {
  /** `host:port` of some brokers; the others are found through them. */
  readonly bootstrapServers: readonly string[]
  /** The certificates that the brokers' certificates are checked against, in PEM. */
  readonly caPem: string
  readonly username: string
  readonly password: string
  /** What the brokers' logs and quotas know this client by; no spaces. */
  readonly clientId: string
}

export type ClientTimeouts = {
  readonly connectTimeoutMs: number
  /** How long one request may go unanswered before its connection is given up. */
  readonly requestTimeoutMs: number
}

/** The settings that every client of the cluster shares. */
export function clientOptions(connection: KafkaConnection, timeouts: ClientTimeouts): BaseOptions {
  return {
    clientId: connection.clientId,
    bootstrapBrokers: [...connection.bootstrapServers],
    tls: { ca: [connection.caPem], rejectUnauthorized: true },
    sasl: { mechanism: 'SCRAM-SHA-512', username: connection.username, password: connection.password },
    connectTimeout: timeouts.connectTimeoutMs,
    requestTimeout: timeouts.requestTimeoutMs,
    timeout: timeouts.requestTimeoutMs,
    autocreateTopics: false,
  }
}

/**
 * Lets no connection of a client end the process. The client listens to the first error of each alone, and one that breaks while it logs in
 * tells of two; whoever asked for it is told by its request.
 */
export function guarded<C extends Base>(client: C): C {
  client.connections.on('connecting', ({ connection }) => connection.on('error', () => undefined))
  return client
}
