import * as z from 'zod'

/** The settings of a worker. */
export const workerConfig = z.strictObject({
  host: z.literal('127.0.0.1').default('127.0.0.1'),
  port: z.int().min(0).max(65_535).describe('of its health and its metrics'),
  definitionFile: z.string().describe('the module that exports the platform, whose handlers are run'),
  instance: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .describe(
      'the name of this worker among those that run; one that is started again under its name ends at once what it left open',
    ),
  kafka: z.strictObject({
    bootstrapServers: z.array(z.string()).min(1),
    caFile: z.string(),
    username: z.string(),
    password: z.string(),
    clientId: z.string().default('millrace-worker'),
  }),
  registry: z.strictObject({ url: z.url(), caFile: z.string(), username: z.string(), password: z.string() }),
  schemaSnapshotFile: z
    .string()
    .optional()
    .describe('where the schemas that were seen are kept, so that a start needs no registry for them'),
  sealingKeysFile: z.string().describe('the keys by which dead letters of sensitive types are sealed'),
})

export type WorkerConfig = z.output<typeof workerConfig>
