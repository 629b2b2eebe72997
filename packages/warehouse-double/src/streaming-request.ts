import * as z from 'zod'
import { type ObjectName, storedPart } from './name.ts'

const table = { database: z.string(), schema: z.string(), table: z.string() }

export const openChannelSchema = z.looseObject({
  ...table,
  channel: z.string(),
  offset_token: z.string().nullish(),
})

const chunkSchema = z.looseObject({
  ...table,
  chunk_start_offset: z.int().min(0),
  chunk_length: z.int(),
  chunk_md5: z.string(),
  eps: z.looseObject({ rows: z.int().min(0) }),
  channels: z
    .array(
      z.looseObject({
        channel_name: z.string(),
        client_sequencer: z.int(),
        row_sequencer: z.int(),
        end_offset_token: z.string().nullish(),
        offset_token: z.string().nullish(),
      }),
    )
    .min(1),
})

export const registerSchema = z.looseObject({
  blobs: z.array(z.looseObject({ path: z.string(), chunks: z.array(chunkSchema).min(1) })).min(1),
})

export const statusSchema = z.looseObject({
  channels: z.array(z.looseObject({ ...table, channel_name: z.string(), client_sequencer: z.int().nullish() })),
})

export const dropSchema = z.looseObject({ ...table, channel: z.string(), client_sequencer: z.int().nullish() })

export type Chunk = z.infer<typeof chunkSchema>
export type ChannelWrite = Chunk['channels'][number]
export type Blob = z.infer<typeof registerSchema>['blobs'][number]

/** The table that a request names; the SDK quotes what needs it. */
export function tableNameOf(request: { database: string; schema: string; table: string }): ObjectName {
  return {
    database: storedPart(request.database),
    schema: storedPart(request.schema),
    name: storedPart(request.table),
  }
}
