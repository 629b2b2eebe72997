/** What the process of the control is told: at its start, and for each slice. */
import * as z from 'zod'
import { kafkaSettings } from '../kafka-settings.ts'

export const controlSettings = z.strictObject({ schemaUrl: z.string(), kafka: kafkaSettings })
export type ControlSettings = z.infer<typeof controlSettings>

export const order = z.strictObject({ eventsPerSecond: z.number(), seconds: z.number() })
export type Order = z.infer<typeof order>
