import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Agent, fetch } from 'undici'
import * as z from 'zod'
import type { Installation } from '../installation.ts'
import { kafkaClientSettings } from '../kafka-client-settings.ts'
import { jvmArguments, jvmStopTimeoutMs } from '../jvm.ts'
import { distributions } from '../layout.ts'
import type { Ports } from '../ports.ts'
import { properties } from '../properties.ts'
import { registryPasswordDigest, registryRoles, type RegistryUser, writeSecret } from '../secrets.ts'
import type { ServerSpec } from '../server.ts'

const readyTimeoutMs = 180_000
const heapMb = 256

/** @param reached by which ports: those on which the servers listen, or an installation's `reached` */
export function registryUrl({ ports }: Pick<Installation, 'ports'>, reached: Pick<Ports, 'registry'> = ports): string {
  return `https://127.0.0.1:${reached.registry}/apis/ccompat/v7`
}

/** Apicurio Registry: HTTPS and basic authentication, its schemas in the Kafka cluster. */
export function registryServer(installation: Installation): ServerSpec {
  const { java, layout, ports, secrets, certificates } = installation
  const settingsFile = join(layout.configuration, 'registry.properties')
  const authorization = `Basic ${Buffer.from(`reader:${secrets.registryPassword('reader')}`).toString('base64')}`
  let dispatcher: Agent | undefined
  const jvm = { distribution: distributions.registry, writesArchive: true, heapMb }
  return {
    kind: 'server',
    name: 'registry',
    dependsOn: ['foundation'],
    address: registryUrl(installation),
    ports: [ports.registry, ports.registryManagement],
    command: {
      file: java.command,
      arguments: [...jvmArguments(java, layout, jvm), '-jar', join(distributions.registry, 'quarkus-run.jar')],
      environment: { QUARKUS_CONFIG_LOCATIONS: settingsFile },
    },
    prepare: () => writeSecret(settingsFile, properties(registrySettings(installation))),
    probe: async (signal) => {
      dispatcher ??= new Agent({ connect: { ca: await readFile(certificates.caFile, 'utf8') } })
      const answer = await fetch(`${registryUrl(installation)}/subjects`, {
        dispatcher,
        signal,
        headers: { authorization },
      })
      await answer.body?.cancel()
      return answer.ok
    },
    hasFailed: (signal) => hasLostItsStorage(ports.registryManagement, signal),
    readyTimeoutMs,
    stopTimeoutMs: jvmStopTimeoutMs(java, jvm),
  }
}

const liveness = z.object({ checks: z.array(z.object({ name: z.string(), status: z.string() })) })

/**
 * Its thread that reads the journal ends for ever with a Kafka client's fatal error, as when a TLS handshake fails: it answers reads on, and
 * every write waits in vain. It says so in its liveness. Its other checks count errors, which pass when Kafka is back.
 */
async function hasLostItsStorage(managementPort: number, signal: AbortSignal): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${managementPort}/health/live`, { signal })
  const { checks } = liveness.parse(await answer.json())
  return checks.some(({ name, status }) => name === 'StorageLivenessCheck' && status === 'DOWN')
}

function registrySettings(installation: Installation): Record<string, string | number | boolean> {
  const { ports, certificates, bootstrapServers } = installation
  return {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.ssl-port': ports.registry,
    'quarkus.http.insecure-requests': 'disabled',
    'quarkus.http.ssl.certificate.files': certificates.certificateFile('registry'),
    'quarkus.http.ssl.certificate.key-files': certificates.keyFile('registry'),
    'quarkus.management.host': '127.0.0.1',
    'quarkus.management.port': ports.registryManagement,

    'apicurio.authn.enabled': true,
    'quarkus.http.auth.basic': true,
    'quarkus.security.users.embedded.enabled': true,
    'quarkus.security.users.embedded.plain-text': false,
    'quarkus.security.users.embedded.algorithm': 'digest-sha-256',
    ...users(installation),
    'apicurio.auth.role-based-authorization': true,
    'apicurio.auth.role-source': 'token',

    'apicurio.storage.kind': 'kafkasql',
    'apicurio.kafkasql.bootstrap.servers': bootstrapServers.join(','),
    'apicurio.kafkasql.topic': '_apicurio-journal',
    'apicurio.kafkasql.snapshots.topic': '_apicurio-snapshots',
    'apicurio.events.kafka.topic': '_apicurio-events',
    'apicurio.kafkasql.topic-auto-create': false,
    'apicurio.kafkasql.consumer.group-prefix': 'apicurio-',
    // The default of 5 s is waited out at every start.
    'apicurio.kafkasql.consumer.poll.timeout': 250,
    ...kafkaClientSettings(installation, 'registry', 'apicurio.kafkasql.admin.'),
    ...kafkaClientSettings(installation, 'registry', 'apicurio.kafkasql.producer.'),
    ...kafkaClientSettings(installation, 'registry', 'apicurio.kafkasql.consumer.'),
    'apicurio.kafkasql.security.protocol': 'SASL_SSL',
  }
}

function users({ secrets }: Installation): Record<string, string> {
  const settings = (user: RegistryUser): [string, string][] => [
    [`quarkus.security.users.embedded.users.${user}`, registryPasswordDigest(user, secrets.registryPassword(user))],
    [`quarkus.security.users.embedded.roles.${user}`, registryRoles[user]],
  ]
  return Object.fromEntries([...settings('admin'), ...settings('gateway'), ...settings('reader')])
}
