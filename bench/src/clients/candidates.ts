import manifest from '../../package.json' with { type: 'json' }
import type { OpenClient } from './client.ts'
import { confluentVersion, openConfluent } from './confluent.ts'
import { openKafkajs } from './kafkajs.ts'
import { openMillrace } from './millrace.ts'
import { openPlatformatic } from './platformatic.ts'

export type Candidate = {
  readonly name: string
  /** Of what it is made of. */
  readonly version: string
  /** Those that matter, besides idempotent and acks=all. */
  readonly settings: string
  readonly open: OpenClient
}

const platformatic = `@platformatic/kafka ${manifest.devDependencies['@platformatic/kafka']}`
const kafkajs = `kafkajs ${manifest.devDependencies.kafkajs}`
const together = 'all records of a send together'
const onePartition = 'one partition a send'

const installed: readonly Candidate[] = [
  {
    name: 'millrace',
    version: `packages/kafka, on the connections of ${platformatic}`,
    settings: 'its defaults: a record is given up after 10 s',
    open: openMillrace,
  },
  {
    name: 'platformatic',
    version: platformatic,
    settings: `its defaults: 3 retries, 1 s apart; ${together}`,
    open: openPlatformatic({ patient: false, onePartitionASend: false }),
  },
  {
    name: 'kafkajs-5',
    version: kafkajs,
    settings: `maxInFlightRequests 5; ${together}`,
    open: openKafkajs({ maxInFlightRequests: 5, onePartitionASend: false }),
  },
  {
    name: 'platformatic-split',
    version: platformatic,
    settings: `20 retries, 0.5 s apart; ${onePartition}`,
    open: openPlatformatic({ patient: true, onePartitionASend: true }),
  },
  {
    name: 'kafkajs-1',
    version: kafkajs,
    settings: `maxInFlightRequests 1; ${together}`,
    open: openKafkajs({ maxInFlightRequests: 1, onePartitionASend: false }),
  },
  {
    name: 'kafkajs-split',
    version: kafkajs,
    settings: `maxInFlightRequests 1; ${onePartition}`,
    open: openKafkajs({ maxInFlightRequests: 1, onePartitionASend: true }),
  },
]

/** @throws MillraceError 'config.invalid' when `@confluentinc/kafka-javascript` is not in the folder */
export function candidatesFor(confluentDirectory: string | undefined): readonly Candidate[] {
  if (confluentDirectory === undefined) return installed
  const confluent: Candidate = {
    name: 'confluent',
    version: `@confluentinc/kafka-javascript ${confluentVersion(confluentDirectory)}`,
    settings: 'its defaults: a record is given up after 5 min; a record a send, of which librdkafka makes batches',
    open: openConfluent,
  }
  return [...installed, confluent]
}
