import { readFile } from 'node:fs/promises'
import type { KafkaConnection } from '@millrace/kafka/connection'
import type { Installation } from '@millrace/stack/installation'
import * as z from 'zod'

/** How the programs of this benchmark are told of Kafka. */
export const kafkaSettings = z.strictObject({
  bootstrapServers: z.array(z.string()).min(1),
  caFile: z.string(),
  username: z.string(),
  password: z.string(),
  clientId: z.string(),
})
export type KafkaSettings = z.infer<typeof kafkaSettings>

/** @param username what may be done; subjects that are compared are the same user */
export function kafkaSettingsFor(
  { bootstrapServers, certificates, secrets }: Installation,
  clientId: string,
  username: string,
): KafkaSettings {
  const password = secrets.kafkaPassword(username)
  return { bootstrapServers: [...bootstrapServers], caFile: certificates.caFile, username, password, clientId }
}

export async function connectionOf({ caFile, ...settings }: KafkaSettings): Promise<KafkaConnection> {
  return { ...settings, caPem: await readFile(caFile, 'utf8') }
}
