import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { type Authenticate, bearerOf } from './authentication.ts'
import type { BlobStore } from './blob.ts'
import { parseBody } from './body.ts'
import { findTable } from './catalog.ts'
import type { Database, Query } from './database.ts'
import { dropChannel, findChannel, openChannel } from './streaming-channel.ts'
import { streamingColumn } from './streaming-column.ts'
import { registerBlob } from './streaming-register.ts'
import { dropSchema, openChannelSchema, registerSchema, statusSchema, tableNameOf } from './streaming-request.ts'
import { streamingStatus } from './streaming-status.ts'

/**
 * Snowpipe Streaming (classic), as Snowflake's ingest SDK speaks it: blobs of encrypted Parquet go to a stage, here a folder of this machine,
 * and are committed by registering them.
 */
export async function addStreamingRoutes(
  app: FastifyInstance,
  database: Database,
  blobs: BlobStore,
  authenticate: Authenticate,
): Promise<void> {
  const key = await encryptionKeyOf(database)
  void app.register(
    (streaming, _options, done) => {
      streaming.addHook('onRequest', async (request, reply) => {
        const verdict = authenticate(bearerOf(request.headers))
        if (verdict.ok) return
        return reply.code(401).send({ code: '390144', message: `JWT token is invalid. [${verdict.reason}]` })
      })
      streaming.post('/client/configure/', () => configuration(blobs))
      streaming.post('/channels/open/', ({ body }) => open(database, key, body))
      streaming.post('/channels/write/blobs/', ({ body }) => register(database, blobs, key, body))
      streaming.post('/channels/status/', ({ body }) => status(database, body))
      streaming.post('/channels/drop/', ({ body }) => drop(database, body))
      done()
    },
    { prefix: '/v1/streaming' },
  )
}

const success = { status_code: streamingStatus.success, message: 'Success' }

/** One key for all blobs, kept with them: writers use it across a restart of the double. */
async function encryptionKeyOf(database: Database): Promise<Buffer> {
  return database.writer.transaction(async (query) => {
    const read = async () => (await query("SELECT value FROM double.keys WHERE name = 'blobs'")).getRows()[0]?.[0]
    if ((await read()) === undefined) {
      await query("INSERT INTO double.keys VALUES ('blobs', $1)", [randomBytes(32).toString('base64')])
    }
    return Buffer.from(String(await read()), 'base64')
  })
}

function configuration(blobs: BlobStore) {
  return {
    ...success,
    prefix: `double${randomBytes(4).toString('hex')}`,
    deployment_id: 1,
    stage_location: {
      locationType: 'LOCAL_FS',
      location: blobs.location,
      path: '',
      creds: {},
      region: null,
      endPoint: null,
      storageAccount: null,
      presignedUrl: null,
      isClientSideEncrypted: false,
      useS3RegionalUrl: false,
    },
  }
}

async function open(database: Database, key: Buffer, body: unknown) {
  const request = parseBody(openChannelSchema, body)
  const name = tableNameOf(request)
  return database.writer.transaction(async (query) => {
    const table = await findTable(query, name)
    if (!table) {
      return {
        status_code: streamingStatus.tableDoesNotExist,
        message: 'the table does not exist or is not authorized',
      }
    }
    const channel = await openChannel(query, name, request.channel, request.offset_token ?? null)
    return {
      ...success,
      database: name.database,
      schema: name.schema,
      table: name.name,
      channel: request.channel,
      client_sequencer: channel.clientSequencer,
      row_sequencer: channel.rowSequencer,
      offset_token: channel.offsetToken,
      table_columns: table.columns.map(streamingColumn),
      encryption_key: key.toString('base64'),
      encryption_key_id: 1,
      iceberg_location: null,
    }
  })
}

async function register(database: Database, blobs: BlobStore, key: Buffer, body: unknown) {
  const request = parseBody(registerSchema, body)
  const registered = await database.writer.transaction(async (query) => {
    const results = []
    for (const blob of request.blobs) results.push(await registerBlob(query, blobs, key, blob))
    return results
  })
  for (const blob of request.blobs) await blobs.removeBlob(blob.path)
  return { ...success, blobs: registered }
}

async function status(database: Database, body: unknown) {
  const { channels } = parseBody(statusSchema, body)
  return database.reader.transaction(async (query) => {
    const statuses = []
    for (const request of channels) statuses.push(await channelStatus(query, request))
    return { ...success, channels: statuses }
  })
}

type ChannelRequest = ReturnType<typeof statusSchema.parse>['channels'][number]

async function channelStatus(query: Query, request: ChannelRequest) {
  const channel = await findChannel(query, tableNameOf(request), request.channel_name)
  if (!channel) return { status_code: streamingStatus.channelDoesNotExist }
  const isOwner = channel.clientSequencer === request.client_sequencer
  return {
    status_code: isOwner ? streamingStatus.success : streamingStatus.fenced,
    persisted_row_sequencer: channel.rowSequencer,
    persisted_client_sequencer: channel.clientSequencer,
    persisted_offset_token: channel.offsetToken,
  }
}

/** A client that says which opening it means may drop only that one. */
async function drop(database: Database, body: unknown) {
  const request = parseBody(dropSchema, body)
  const name = tableNameOf(request)
  return database.writer.transaction(async (query) => {
    const channel = await findChannel(query, name, request.channel)
    const expected = request.client_sequencer ?? channel?.clientSequencer
    if (channel && channel.clientSequencer !== expected)
      return { status_code: streamingStatus.fenced, message: 'fenced' }
    await dropChannel(query, name, request.channel)
    return { ...success, database: name.database, schema: name.schema, table: name.name, channel: request.channel }
  })
}
