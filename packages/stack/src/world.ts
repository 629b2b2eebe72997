/** The connections through which the definition is applied to a running installation. */
import { readFile } from 'node:fs/promises'
import { openConnect } from '@millrace/connect/connect-client'
import { MillraceError } from '@millrace/core/errors'
import { eventTypesOf } from '@millrace/core/platform'
import { type Admin, openAdmin } from '@millrace/kafka/admin'
import { putCatalogEntry, readCatalog, withdrawCatalogEntry } from '@millrace/kafka/catalog'
import type { KafkaConnection } from '@millrace/kafka/connection'
import { openProducer, type Producer } from '@millrace/kafka/producer'
import { applyChanges, type Change } from '@millrace/reconcile/change'
import type { Catalog } from '@millrace/reconcile/plan-catalog'
import { planDefinition, type World } from '@millrace/reconcile/plan-definition'
import { planEventTypes } from '@millrace/reconcile/plan-event-types'
import { planFoundation } from '@millrace/reconcile/plan-foundation'
import { planResumption } from '@millrace/reconcile/plan-jobs'
import { openRegistry } from '@millrace/schemas/registry'
import type { Installation } from './installation.ts'
import { connectUrl } from './servers/connect.ts'
import { openJobs } from './servers/flink.ts'
import { registryUrl } from './servers/registry.ts'
import { warehouseHost, warehouseOf, warehouseRole, warehouseUser } from './servers/warehouse.ts'
import { waitUntil } from './wait.ts'

const connectTimeoutMs = 100_000
const clusterTimeoutMs = 60_000

/** Opens what `plan` and `apply` work on. Close it when done. */
export async function openWorld(installation: Installation): Promise<{ world: World; close: () => Promise<void> }> {
  const { ports, secrets, certificates, replication } = installation
  const connection = await installation.kafkaConnection('admin')
  const admin = openAdmin(connection)
  const registry = openRegistry({
    url: registryUrl(installation),
    caPem: await readFile(certificates.caFile, 'utf8'),
    username: 'admin',
    password: secrets.registryPassword('admin'),
  })
  const world: World = {
    admin,
    replication: replication.factor,
    registry,
    warehouse: await warehouseOf(installation),
    connect: openConnect({ url: connectUrl(installation), timeoutMs: connectTimeoutMs }),
    connectorEnvironment: {
      warehouseUrl: `http://${warehouseHost}:${ports.warehouse}`,
      user: warehouseUser,
      role: warehouseRole,
      privateKeyReference: `\${file:${secrets.warehouseKeyPropertiesFile}:key}`,
      replicationFactor: replication.factor,
    },
    catalog: openCatalog(connection),
    jobs: openJobs(installation),
  }
  return {
    world,
    close: async () => {
      await registry.close()
      await admin.close()
    },
  }
}

function openCatalog(connection: KafkaConnection): Catalog {
  const produce = async (send: (producer: Producer) => Promise<unknown>): Promise<void> => {
    const producer = openProducer(connection)
    try {
      await send(producer)
    } finally {
      await producer.close()
    }
  }
  return {
    entries: () => readCatalog(connection),
    write: (entry) => produce((producer) => putCatalogEntry(producer, entry)),
    withdraw: (type) => produce((producer) => withdrawCatalogEntry(producer, type)),
  }
}

/**
 * Topics, ACLs and Kafka users: what the servers themselves need. Only the brokers must run.
 * @throws MillraceError `stack.failed` when not all brokers have joined the cluster in time
 */
export async function applyFoundation(installation: Installation): Promise<void> {
  const admin = openAdmin(await installation.kafkaConnection('admin'))
  try {
    await waitForAllBrokers(installation, admin)
    await giveReadersTheirPasswords(installation, admin)
    await applyChanges(
      await planFoundation(installation.platform, installation.replication.factor, admin),
      () => undefined,
    )
  } finally {
    await admin.close()
  }
}

/**
 * Makes a running platform what its definition says. `note` is told of each change before it is made, and of the pipelines that Flink does not
 * take: they keep nothing else from running.
 */
export async function applyDefinition(installation: Installation, note: Note): Promise<void> {
  const { world, close } = await openWorld(installation)
  try {
    await applyAllButRefused(await planDefinition(installation.platform, world), note)
  } finally {
    await close()
  }
}

/** Starts the jobs again that a crash of Flink has ended. */
export async function resumeJobs(installation: Installation, note: Note): Promise<void> {
  await applyAllButRefused(await planResumption(openJobs(installation)), note)
}

type Note = (sentence: string) => void

async function applyAllButRefused(changes: readonly Change[], note: Note): Promise<void> {
  const report = ({ action, resource, name, detail }: Change) => note(`${action} ${resource} ${name}: ${detail}`)
  await applyChanges(changes, report).catch((error: unknown) => {
    if (!(error instanceof MillraceError) || error.code !== 'flink.refused') throw error
    note(error.message)
  })
}

/** The topics, schemas and catalog entries of the definition, by which gateways serve: only the brokers and the registry must run. */
export async function applyEventTypes(installation: Installation): Promise<void> {
  const { world, close } = await openWorld(installation)
  try {
    await applyChanges(await planEventTypes(eventTypesOf(installation.platform), world), () => undefined)
  } finally {
    await close()
  }
}

/** A broker is ready when it has joined itself; a topic has its copies only where all have. */
async function waitForAllBrokers({ brokerNodes }: Installation, admin: Admin): Promise<void> {
  const haveJoined = async () => (await admin.brokers()).length === brokerNodes.length
  await waitUntil(`the cluster of ${brokerNodes.length} brokers`, clusterTimeoutMs, haveJoined)
}

/** Readers of the definition may be newer than the formatted disks, which hold the users of the first start. */
async function giveReadersTheirPasswords({ readers, secrets }: Installation, admin: Admin): Promise<void> {
  for (const user of readers) await admin.alterScramCredential(user, secrets.kafkaPassword(user))
}
