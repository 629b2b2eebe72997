import type { BlobStore } from './blob.ts'
import { findTable, type Table } from './catalog.ts'
import type { Query } from './database.ts'
import { duckdbIdentifier, duckdbTable } from './name.ts'
import { advanceChannel, findChannel } from './streaming-channel.ts'
import { storedValue } from './streaming-column.ts'
import { type Blob, type ChannelWrite, type Chunk, tableNameOf } from './streaming-request.ts'
import { streamingStatus } from './streaming-status.ts'

/**
 * Commits the chunks of a blob. The caller's transaction holds rows and offset tokens together: a client that lost the answer, or a process
 * that was killed, finds both or neither.
 */
export async function registerBlob(query: Query, blobs: BlobStore, encryptionKey: Buffer, blob: Blob) {
  const chunks = []
  for (const chunk of blob.chunks) {
    const statuses = await registerChunk(query, blobs, encryptionKey, blob.path, chunk)
    chunks.push({
      database: chunk.database,
      schema: chunk.schema,
      table: chunk.table,
      channels: chunk.channels.map((channel, index) => ({
        status_code: statuses[index],
        channel: channel.channel_name,
        client_sequencer: channel.client_sequencer,
      })),
    })
  }
  return { chunks }
}

/** Commits one chunk and returns the status of each of its channels: all are taken, or none. */
async function registerChunk(
  query: Query,
  blobs: BlobStore,
  encryptionKey: Buffer,
  blobPath: string,
  chunk: Chunk,
): Promise<number[]> {
  const all = (status: number) => chunk.channels.map(() => status)
  const table = await findTable(query, tableNameOf(chunk))
  if (!table) return all(streamingStatus.tableDoesNotExist)
  const checked = await checkChannels(query, table, chunk.channels)
  if (checked.some((status) => status !== streamingStatus.success)) {
    return checked.map((status) => (status === streamingStatus.success ? streamingStatus.otherChannelFailed : status))
  }
  const location = {
    blobPath,
    startOffset: chunk.chunk_start_offset,
    length: chunk.chunk_length,
    md5: chunk.chunk_md5,
  }
  const decrypted = await blobs.decrypt(location, encryptionKey)
  if (!decrypted.ok) return all(faultStatus[decrypted.fault])
  try {
    return all(await insertChunk(query, table, decrypted.parquetFile, chunk))
  } finally {
    await blobs.remove(decrypted.parquetFile)
  }
}

const faultStatus = {
  path: streamingStatus.invalidBlobName,
  length: streamingStatus.invalidChunkLength,
  md5: streamingStatus.invalidMd5,
} as const

async function checkChannels(query: Query, table: Table, writes: readonly ChannelWrite[]): Promise<number[]> {
  const statuses: number[] = []
  for (const write of writes) {
    const channel = await findChannel(query, table.name, write.channel_name)
    if (!channel) statuses.push(streamingStatus.channelDoesNotExist)
    else if (channel.clientSequencer !== write.client_sequencer) statuses.push(streamingStatus.fenced)
    else if (channel.rowSequencer + 1 !== write.row_sequencer) statuses.push(streamingStatus.outOfOrder)
    else statuses.push(streamingStatus.success)
  }
  return statuses
}

async function insertChunk(query: Query, table: Table, parquetFile: string, chunk: Chunk): Promise<number> {
  const parquet = `read_parquet('${parquetFile.replaceAll("'", "''")}')`
  const names = (await query(`SELECT * FROM ${parquet} LIMIT 0`)).columnNames()
  const counted = (await query(`SELECT count(*) FROM ${parquet}`)).getRows()
  if (Number(counted[0]?.[0]) !== chunk.eps.rows) return streamingStatus.invalidRowCount
  const columns = table.columns.filter(({ name }) => names.includes(name))
  if (columns.length < names.length) return streamingStatus.schemaChanged
  const targets = columns.map(({ name }) => duckdbIdentifier(name)).join(', ')
  const values = columns.map(({ name, type }) => storedValue(duckdbIdentifier(name), type)).join(', ')
  await query(`INSERT INTO ${duckdbTable(table.name)} (${targets}) SELECT ${values} FROM ${parquet}`)
  for (const write of chunk.channels) {
    const token = write.end_offset_token ?? write.offset_token ?? null
    await advanceChannel(query, table.name, write.channel_name, write.row_sequencer, token)
  }
  return streamingStatus.success
}
