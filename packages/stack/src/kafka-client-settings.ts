import type { Installation } from './installation.ts'

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
