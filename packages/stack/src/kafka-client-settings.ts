import { join } from 'node:path'
import type { Installation } from './installation.ts'
import { properties } from './properties.ts'
import { writeSecret } from './secrets.ts'

/** The Java client's settings that make it a user of the cluster: SASL_SSL with SCRAM, trusting the installation's CA. */
export function kafkaClientSettings(
  { secrets, certificates }: Installation,
  user: string,
  prefix = '',
): Record<string, string> {
  const module = 'org.apache.kafka.common.security.scram.ScramLoginModule'
  return {
    [`${prefix}security.protocol`]: 'SASL_SSL',
    [`${prefix}ssl.truststore.type`]: 'PEM',
    [`${prefix}ssl.truststore.location`]: certificates.caFile,
    [`${prefix}sasl.mechanism`]: 'SCRAM-SHA-512',
    [`${prefix}sasl.jaas.config`]: `${module} required username="${user}" password="${secrets.kafkaPassword(user)}";`,
  }
}

/** Writes a properties file that gives Kafka's own command-line tools the identity of a user. */
export async function writeClientProperties(installation: Installation, user: string): Promise<string> {
  const file = join(installation.layout.secrets, `${user}.properties`)
  await writeSecret(file, properties(kafkaClientSettings(installation, user)))
  return file
}
