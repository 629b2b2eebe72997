import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { StatementError } from './statement-error.ts'

/** Bounds of a request's body, as it comes and unpacked. */
const bodyBytesMax = 8 * 1_024 * 1_024
const unpackedBytesMax = 32 * 1_024 * 1_024

const unpack = promisify(gunzip)

/** Snowflake's clients send JSON, often packed, under several content types. */
export function acceptJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: bodyBytesMax },
    async (request: FastifyRequest, body: Buffer) => {
      const isPacked = request.headers['content-encoding'] === 'gzip' && body[0] === 0x1f
      const bytes = isPacked ? await unpack(body, { maxOutputLength: unpackedBytesMax }) : body
      return bytes.length === 0 ? {} : jsonOf(bytes)
    },
  )
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new StatementError(`the body is not JSON: ${cause instanceof Error ? cause.message : ''}`, '391902', '22000')
  }
}

/** @throws StatementError when a body has another shape. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`)
  throw new StatementError(`malformed request: ${issues.join('; ')}`, '391902', '22000')
}
