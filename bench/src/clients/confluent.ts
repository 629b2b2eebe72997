/**
 * librdkafka behind `@confluentinc/kafka-javascript`. Its install step downloads a binary from where not every machine gets, so it is no
 * dependency of this project: who wants it in the comparison says with `--confluent` where it is installed.
 */
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import * as z from 'zod'
import { MillraceError } from '@millrace/core/errors'
import type { OpenClient } from './client.ts'

const packageName = '@confluentinc/kafka-javascript'

/** What of it is used here. */
type ConfluentProducer = {
  readonly connect: () => Promise<void>
  readonly send: (record: {
    readonly topic: string
    readonly messages: readonly {
      readonly key: Buffer
      readonly value: Buffer
      readonly headers: Record<string, string>
    }[]
  }) => Promise<readonly { readonly partition: number; readonly baseOffset?: string }[]>
}
type ConfluentKafka = new (settings: object) => { readonly producer: (settings: object) => ConfluentProducer }

const moduleShape = z.object({
  KafkaJS: z.object({ Kafka: z.custom<ConfluentKafka>((value) => typeof value === 'function') }),
})

/** @throws MillraceError 'config.invalid' when it cannot be loaded from that folder */
export const openConfluent: OpenClient = async ({ topic, kafka, confluentDirectory }) => {
  const { Kafka } = confluentIn(confluentDirectory ?? '.')
  const client = new Kafka({
    kafkaJS: {
      brokers: kafka.bootstrapServers,
      ssl: true,
      sasl: { mechanism: 'scram-sha-512', username: kafka.username, password: kafka.password },
      logLevel: 0,
    },
    'client.id': kafka.clientId,
    'ssl.ca.location': kafka.caFile,
  })
  const producer = client.producer({ kafkaJS: { idempotent: true, acks: -1 } })
  await producer.connect()
  return {
    // A record a call: librdkafka makes the batches, and what it answers to several has no place for each.
    send: (records) =>
      records.map(async ({ key, value, headers }) => {
        const [stored] = await producer.send({ topic, messages: [{ key, value, headers: { ...headers } }] })
        return { partition: stored?.partition ?? -1, offset: Number(stored?.baseOffset ?? -1) }
      }),
  }
}

/** The versions of what is there, of the client and of the librdkafka that comes with it. */
export function confluentVersion(directory: string): string {
  const { version, librdkafka } = z
    .object({ version: z.string(), librdkafka: z.string() })
    .parse(requiredFrom(directory, `${packageName}/package.json`))
  return `${version} (librdkafka ${librdkafka})`
}

function confluentIn(directory: string) {
  return moduleShape.parse(requiredFrom(directory, packageName)).KafkaJS
}

function requiredFrom(directory: string, name: string): unknown {
  try {
    return createRequire(join(resolve(directory), 'package.json'))(name)
  } catch (cause) {
    throw new MillraceError('config.invalid', `${packageName} cannot be loaded from ${directory}: install it there`, {
      cause,
    })
  }
}
