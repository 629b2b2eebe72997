import * as z from 'zod'
import { isLoopback } from './loopback.ts'

const mebibyte = 1_048_576

const tokens = z
  .strictObject({
    issuer: z.string().min(1).describe('the only issuer whose tokens are good'),
    audience: z.string().min(1).describe('what tokens must be made for'),
    jwksFile: z.string().optional().describe("the issuer's public keys; read again when the file changes"),
    jwksUrl: z
      .url({ protocol: /^https?$/ })
      .refine(isPrivate, {
        message: 'keys that anybody on the way can change are no keys: use https, or http on 127.0.0.1 alone',
      })
      .optional()
      .describe('where the issuer publishes its keys; fetched again every 5 minutes, and when a token names a new one'),
  })
  .refine(({ jwksFile, jwksUrl }) => (jwksFile === undefined) !== (jwksUrl === undefined), {
    message: 'name the keys of the issuer by exactly one of jwksFile and jwksUrl',
  })

/** Nobody on the way can read or change what comes from there. */
function isPrivate(url: string): boolean {
  return URL.canParse(url) && (url.startsWith('https:') || isLoopback(new URL(url).hostname))
}

/** The settings of the gateway. */
export const gatewayConfig = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1').describe('beyond loopback only with tls or behindProxy'),
    port: z.int().min(0).max(65_535),
    tls: z
      .strictObject({ certFile: z.string(), keyFile: z.string() })
      .optional()
      .describe('the certificate (with its chain) and its key, in PEM; taken again when the files change'),
    behindProxy: z
      .boolean()
      .default(false)
      .describe('a proxy before the gateway ends TLS, so that plain HTTP may come from beyond'),
    kafka: z.strictObject({
      bootstrapServers: z.array(z.string()).min(1),
      caFile: z.string(),
      username: z.string(),
      password: z.string(),
      clientId: z.string().default('millrace-gateway'),
    }),
    registry: z.strictObject({ url: z.url(), caFile: z.string(), username: z.string(), password: z.string() }),
    tokens,
    sealingKeysFile: z
      .string()
      .describe(
        'the keys with which dead letters of types with sensitive pointers are sealed: {"current": "k1", "keys": {"k1": "<32 bytes in Base64>"}}',
      ),
    schemaSnapshotFile: z
      .string()
      .optional()
      .describe('where the schemas that were seen are kept, so that a start needs no registry for them'),
    rateLimit: z
      .strictObject({
        requestsPerSecond: z.number().positive().max(1_000_000),
        burst: z.int().min(1).max(10_000_000),
      })
      // Far above what one honest producer sends one instance: it bounds what a runaway client takes from the others.
      .default({ requestsPerSecond: 20_000, burst: 40_000 })
      .describe(
        'for each subject of tokens, on each instance: a bucket of `burst` requests, refilled at `requestsPerSecond`',
      ),
    connectionsMax: z.int().min(1).default(10_000).describe('further connections are closed at once'),
    bodiesBytesMax: z
      .int()
      .min(1)
      // Thirty-two of the largest batches; what becomes of a body takes several times as much while it is checked.
      .default(256 * mebibyte)
      .describe(
        'the bodies of all requests under way, in bytes after decompression, and of bulk loads what is under way: more is answered with 503',
      ),
    eventBytesMax: z.int().min(1).default(mebibyte).describe('the body of a single event'),
    batchBytesMax: z
      .int()
      .min(1)
      .default(8 * mebibyte)
      .describe('the body of a batch'),
    batchEventsMax: z.int().min(1).default(1_000),
    replication: z.int().min(1).default(3).describe('the copies of the topics that the API makes'),
    partitionsMax: z.int().min(1).default(100).describe('what a topic may have at most that the API makes'),
    bulkBytesMax: z
      .int()
      .min(1)
      .default(64 * mebibyte)
      .describe('the body of a bulk load in newline-delimited JSON, which is taken in while it arrives'),
    bulkEventsMax: z.int().min(1).default(10_000).describe('lines of a bulk load: each has its result in the answer'),
    identitiesMax: z
      .int()
      .min(1)
      .max(16_000_000)
      .default(1_000_000)
      .describe('how many of the newest events a retry is recognised of; about 70 bytes each'),
    identityWindowMs: z.int().min(1).default(600_000).describe('how long a retry of an event is recognised'),
    streamBufferBytesMax: z
      .int()
      .min(1)
      .default(4 * mebibyte)
      .describe('what waits for a slow reader of a live stream before it misses events and is told so'),
    streamBuffersBytesMax: z
      .int()
      .min(1)
      // Sixty-four of the slowest readers; what waits is mostly the same bytes for all of them.
      .default(256 * mebibyte)
      .describe(
        'what waits for all readers of live streams together: beyond it whoever has more than an equal share counts as slow, and none catches up',
      ),
    readsAtOnceMax: z
      .int()
      .min(1)
      .default(16)
      .describe('requests that read events at the same time; more wait their turn'),
    streamsMax: z.int().min(1).default(10_000).describe('open live streams of this instance'),
    catchUpReadersMax: z
      .int()
      .min(1)
      .default(4)
      .describe('live streams that read what they missed at the same time; each page of each waits its turn'),
  })
  .refine(({ host, tls, behindProxy }) => isLoopback(host) || tls !== undefined || behindProxy, {
    path: ['host'],
    message:
      'without TLS the gateway listens on 127.0.0.1 alone: give tls.certFile and tls.keyFile, or say behindProxy: true where a proxy ends TLS for it',
  })
  .refine(
    ({ bodiesBytesMax, batchBytesMax, eventBytesMax }) => bodiesBytesMax >= Math.max(batchBytesMax, eventBytesMax),
    {
      path: ['bodiesBytesMax'],
      message: 'no body of the size of batchBytesMax or eventBytesMax could ever be taken: make it at least as large',
    },
  )

export type GatewayConfig = z.output<typeof gatewayConfig>
