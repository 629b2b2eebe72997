/** What can be wrong with a network, as it is ordered from the proxy. */
import * as z from 'zod'

/** From who connected to whom it connected (`up`), or back (`down`). */
const direction = z.enum(['up', 'down', 'both'])

const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('latency'),
    direction,
    ms: z.int().min(0).max(60_000),
    jitterMs: z.int().min(0).max(60_000).describe('up to so much more or less, evenly; bytes stay in order'),
    seed: z.int().min(0).describe('what the jitter is made from'),
  }),
  z.strictObject({
    kind: z.literal('black-hole'),
    direction,
    bytes: z
      .enum(['held', 'lost'])
      .describe(
        'held: they arrive when it is over, as TCP would send them again; lost: connections that lost some are reset then',
      ),
  }),
  z.strictObject({
    kind: z.literal('reset'),
    direction,
    afterBytes: z.int().min(0).describe('how many bytes of a connection still pass; 0 resets it at once'),
  }),
  z.strictObject({ kind: z.literal('corrupt'), direction }),
  z.strictObject({ kind: z.literal('refuse') }).describe('nobody listens; who is connected stays so'),
])

/** Whose connections: those of a process of this machine, or those of all others. */
const fromSchema = z.union([
  z.strictObject({ only: z.int().positive() }),
  z.strictObject({ except: z.int().positive() }),
])

export const orderSchema = z
  .strictObject({
    listeners: z.array(z.string()).min(1),
    fault: faultSchema,
    from: fromSchema.optional(),
    forMs: z
      .int()
      .min(1)
      .max(600_000)
      .describe('it heals by itself after this time, so that none outlives who ordered it'),
  })
  .refine(({ fault, from }) => fault.kind !== 'refuse' || from === undefined, {
    message: 'who is refused cannot be chosen: leave "from" out',
  })

export type Fault = z.infer<typeof faultSchema>
export type LinkFault = Exclude<Fault, { kind: 'refuse' }>
export type From = z.infer<typeof fromSchema>
export type Order = z.infer<typeof orderSchema>
