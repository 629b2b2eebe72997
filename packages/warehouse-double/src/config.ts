import * as z from 'zod'

const loopback = '127.0.0.1'

/** The settings of the warehouse double. */
export const configSchema = z.strictObject({
  host: z
    .literal(loopback, `the double listens on ${loopback} alone: it is a test part, not a server for others`)
    .default(loopback),
  port: z.int().min(0).max(65_535),
  publicHost: z.string().min(1).describe('host and port by which clients know the double, as in account.example:8080'),
  dataDir: z.string().min(1),
  account: z.string().min(1).describe('the account that tokens must be made for'),
  users: z
    .array(z.strictObject({ name: z.string().min(1), publicKeyFile: z.string().min(1) }))
    .min(1)
    .describe('who may sign in, each by an RSA key pair'),
  adminToken: z
    .string()
    .min(16)
    .optional()
    .describe('where set, faults can be injected with it; leave it out otherwise'),
})

export type Config = z.infer<typeof configSchema>
