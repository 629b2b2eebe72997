import * as z from 'zod'

const port = z.int().min(0).max(65_535)

/** The settings of the fault proxy. */
export const configSchema = z.strictObject({
  controlSocket: z.string().min(1).describe('where faults are ordered: a Unix socket that only its owner can open'),
  listeners: z
    .array(z.strictObject({ name: z.string().min(1), port, targetPort: port }))
    .min(1)
    .describe('the ports of loopback through which others of loopback are reached'),
})
