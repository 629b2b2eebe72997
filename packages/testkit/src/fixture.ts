import { readFileSync } from 'node:fs'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { mintToken } from '@millrace/stack/token'
import { inject } from 'vitest'

/** What a test must know of the running stack; it goes from one process to another, so it is plain data. */
export type StackFacts = {
  readonly stateDirectory: string
  readonly portBase: number
  readonly bootstrapServers: string[]
  readonly caFile: string
  readonly passwords: Record<string, string>
  /** A properties file for Kafka's own tools, as the user `auditor`. */
  readonly auditorProperties: string
  readonly registryUrl: string
  readonly registryPassword: string
  /** The first gateway. */
  readonly gatewayUrl: string
  /** Every gateway; any of them serves any request. */
  readonly gatewayUrls: string[]
  readonly issuerKeyFile: string
  readonly warehouseUrl: string
  readonly warehouseKeyFile: string
  readonly monitorUrl: string
  readonly javaCommand: string
}

/** The stack that runs for all integration tests. */
export function stack() {
  const facts = inject('stack')
  const caPem = readFileSync(facts.caFile, 'utf8')
  return {
    ...facts,
    caPem,
    /** A connection to Kafka as one of the platform's users. */
    connection: (user: string): KafkaConnection => ({
      bootstrapServers: facts.bootstrapServers,
      caPem,
      username: user,
      password: facts.passwords[user] ?? '',
      clientId: `test-${user}`,
    }),
    token: (...scopes: string[]) =>
      mintToken({ issuerKeyFile: facts.issuerKeyFile }, { subject: 'test', scopes, ttlSeconds: 600 }),
  }
}
