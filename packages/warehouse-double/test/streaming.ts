import { createCipheriv, createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import * as z from 'zod'
import type { Double } from './double.ts'

const location = { database: 'LAKE', schema: 'RAW', table: 'EVENTS' }

const openedSchema = z.looseObject({
  status_code: z.number(),
  client_sequencer: z.number(),
  row_sequencer: z.number(),
  offset_token: z.string().nullable(),
  encryption_key: z.string(),
})
const configuredSchema = z.looseObject({ stage_location: z.looseObject({ location: z.string() }) })
const registeredSchema = z.looseObject({
  blobs: z.array(
    z.looseObject({
      chunks: z.array(z.looseObject({ channels: z.array(z.looseObject({ status_code: z.number() })) })),
    }),
  ),
})

export type Write = {
  readonly channel?: string
  readonly clientSequencer: number
  readonly rowSequencer: number
  readonly offsetToken: string
  /** A SELECT of DuckDB whose result is the chunk's Parquet. */
  readonly rows: string
  readonly count: number
  readonly changed?: Record<string, unknown>
}

/** A streaming client as small as can be: it opens channels, writes blobs as Snowflake's SDK does, and registers them. */
export function streamingClient(double: Double) {
  let blobs = 0
  const post = async (path: string, body: unknown) => (await double.call('POST', `/v1/streaming/${path}`, body)).json()
  const open = async (channel = 'c') => openedSchema.parse(await post('channels/open/', { ...location, channel }))
  return {
    open,
    status: (channel: string, clientSequencer: number) =>
      post('channels/status/', {
        channels: [{ ...location, channel_name: channel, client_sequencer: clientSequencer }],
      }),
    drop: (channel: string, clientSequencer: number) =>
      post('channels/drop/', { ...location, channel, client_sequencer: clientSequencer }),
    /** The status code of the write. */
    write: async (write: Write, encryptionKey: string): Promise<number | undefined> => {
      const stage = configuredSchema.parse(await post('client/configure/', {})).stage_location.location
      blobs += 1
      const path = `2026/1/1/0/0/blob-${blobs}.bdec`
      const chunk = await writeBlob(double.directory, stage, path, write, encryptionKey)
      const answer = registeredSchema.parse(await post('channels/write/blobs/', { blobs: [{ path, chunks: [chunk] }] }))
      return answer.blobs[0]?.chunks[0]?.channels[0]?.status_code
    },
  }
}

async function writeBlob(directory: string, stage: string, path: string, write: Write, encryptionKey: string) {
  const encrypted = encrypt(await parquetOf(directory, write.rows), path, Buffer.from(encryptionKey, 'base64'))
  const file = join(stage, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, encrypted)
  return {
    ...location,
    chunk_start_offset: 0,
    chunk_length: encrypted.length,
    chunk_md5: createHash('md5').update(encrypted).digest('hex'),
    eps: { rows: write.count, columns: {} },
    channels: [
      {
        channel_name: write.channel ?? 'c',
        client_sequencer: write.clientSequencer,
        row_sequencer: write.rowSequencer,
        end_offset_token: write.offsetToken,
      },
    ],
    ...write.changed,
  }
}

function encrypt(plain: Buffer, path: string, encryptionKey: Buffer): Buffer {
  const key = createHash('sha256').update(encryptionKey).update(path).digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  return Buffer.concat([cipher.update(plain), cipher.final()])
}

async function parquetOf(directory: string, rows: string): Promise<Buffer> {
  const file = join(directory, 'rows.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(`COPY (${rows}) TO '${file}' (FORMAT parquet)`)
  connection.closeSync()
  instance.closeSync()
  const bytes = await readFile(file)
  await rm(file)
  return bytes
}
