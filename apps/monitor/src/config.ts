import * as z from 'zod'

/** The settings of the monitor. */
export const monitorConfig = z.strictObject({
  host: z.literal('127.0.0.1').default('127.0.0.1'),
  port: z.int().min(0).max(65_535),
  kafka: z.strictObject({
    bootstrapServers: z.array(z.string()).min(1),
    caFile: z.string(),
    username: z.string(),
    password: z.string(),
    clientId: z.string().default('millrace-monitor'),
  }),
  intervalMs: z.int().min(500).default(2_000).describe('how often Kafka is asked'),
})

export type MonitorConfig = z.output<typeof monitorConfig>
