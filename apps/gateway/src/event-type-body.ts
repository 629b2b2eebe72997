/** What `PUT /v1/event-types/{type}` takes: its shape, its bounds, and the schema in the one form in which it is kept. */
import type { Violation } from '@millrace/core/cloud-event'
import type { SchemaDocument, SchemaFormat } from '@millrace/core/event-type'
import { isJsonObject, isPointer, type JsonObject, type JsonPointer, pointerOf } from '@millrace/core/json'
import { jsonViolation, parseExactJson } from '@millrace/schemas/exact-json'
import * as z from 'zod'
import { problem, ProblemError } from './problem.ts'

const pointerLengthMax = 1_000
const listedMax = 100
const retentionMsMin = 60_000
const retentionMsMax = 3_650 * 86_400_000

const pointer = z.custom<JsonPointer>(
  (value) => isPointer(value) && value.length <= pointerLengthMax,
  'must be a JSON Pointer',
)
const name = z.string().min(1).max(pointerLengthMax)

function bodyShape(partitionsMax: number) {
  return z.strictObject({
    format: z.enum(['json', 'avro', 'protobuf']),
    schema: z.union([z.string(), z.custom<JsonObject>(isJsonObject)], 'must be a string or an object'),
    references: z
      .array(z.strictObject({ name, subject: name, version: z.int().min(1) }))
      .max(listedMax)
      .optional(),
    key: pointer.nullable().optional(),
    time: pointer.nullable().optional(),
    topic: z.string().optional(),
    partitions: z.int().min(1).max(partitionsMax).optional(),
    retentionMs: z.int().min(retentionMsMin).max(retentionMsMax).optional(),
    compatibility: z.enum(['BACKWARD', 'FORWARD', 'FULL', 'NONE']).optional(),
    sensitive: z.array(pointer).max(listedMax).optional(),
    repartition: z.boolean().optional(),
  })
}

/** What is left out stays as it is, or is the default of a new type; a pointer is taken away by `null`. */
export type EventTypeBody = z.output<ReturnType<typeof bodyShape>>

/** @throws ProblemError 422 */
export function parseEventTypeBody(value: unknown, partitionsMax: number): EventTypeBody {
  const lost = jsonViolation(value)
  if (lost) throw unprocessable('the body cannot be kept as it is', [lost])
  const parsed = bodyShape(partitionsMax).safeParse(value)
  if (!parsed.success) throw unprocessable('this is not an event type', parsed.error.issues.flatMap(violationsOf))
  return { ...parsed.data, schema: withDialect(parsed.data.format, documentOf(parsed.data.format, parsed.data.schema)) }
}

export function unprocessable(detail: string, errors: readonly Violation[]): ProblemError {
  return new ProblemError(problem(422, detail, { errors }))
}

/** What is wrong with a body, by where it is. */
export function violationsOf(issue: z.core.$ZodIssue): Violation[] {
  const path = issue.path.map(String)
  if (issue.code !== 'unrecognized_keys') return [{ pointer: pointerOf(...path), detail: issue.message }]
  return issue.keys.map((key) => ({ pointer: pointerOf(...path, key), detail: 'is not known here' }))
}

/** One form for each schema, however it is sent, so that the same schema is the same text in the registry. */
function documentOf(format: SchemaFormat, schema: SchemaDocument): SchemaDocument {
  if (format === 'protobuf') {
    if (typeof schema === 'string') return schema
    throw notASchema('a Protobuf schema is the text of a .proto file')
  }
  if (typeof schema !== 'string') return schema
  const parsed = parseExactJson(Buffer.from(schema))
  if (!parsed.ok) throw notASchema(`the schema ${parsed.detail}`)
  const lost = jsonViolation(parsed.value)
  if (lost) throw notASchema(`${lost.pointer} ${lost.detail}`)
  if (isJsonObject(parsed.value)) return parsed.value
  if (format === 'avro') return schema // the name of a type, or a union
  throw notASchema('a JSON Schema is a JSON object')
}

/** A JSON Schema that does not say its dialect is read as draft-07 here, and could be taken for an Avro schema elsewhere: so it is said. */
function withDialect(format: SchemaFormat, schema: SchemaDocument): SchemaDocument {
  if (format !== 'json' || typeof schema === 'string' || Object.hasOwn(schema, '$schema')) return schema
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...schema }
}

function notASchema(detail: string): ProblemError {
  return unprocessable('this is not a schema', [{ pointer: '/schema', detail }])
}
