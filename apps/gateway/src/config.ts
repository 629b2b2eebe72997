import * as z from 'zod'

const mebibyte = 1_048_576

/** The settings of the gateway. */
export const gatewayConfig = z.strictObject({
  host: z.literal('127.0.0.1', 'the gateway speaks plain HTTP, so it listens on 127.0.0.1 alone').default('127.0.0.1'),
  port: z.int().min(0).max(65_535),
  kafka: z.strictObject({
    bootstrapServers: z.array(z.string()).min(1),
    caFile: z.string(),
    username: z.string(),
    password: z.string(),
    clientId: z.string().default('millrace-gateway'),
  }),
  registry: z.strictObject({ url: z.url(), caFile: z.string(), username: z.string(), password: z.string() }),
  tokens: z.strictObject({
    issuer: z.string().describe('the only issuer whose tokens are good'),
    audience: z.string().describe('what tokens must be made for'),
    jwksFile: z.string().describe("the issuer's public keys; read again when the file changes"),
  }),
  eventBytesMax: z.int().min(1).default(mebibyte).describe('the body of a single event'),
  batchBytesMax: z
    .int()
    .min(1)
    .default(8 * mebibyte)
    .describe('the body of a batch'),
  batchEventsMax: z.int().min(1).default(1_000),
  streamBufferBytesMax: z
    .int()
    .min(1)
    .default(4 * mebibyte)
    .describe('what waits for a slow reader of a live stream before it misses events and is told so'),
})

export type GatewayConfig = z.output<typeof gatewayConfig>
