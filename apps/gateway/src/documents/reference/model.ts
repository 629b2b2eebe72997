/** The OpenAPI document as the page reads it. */
import { isJsonObject, isJsonValue, type JsonObject, type JsonValue } from '@millrace/core/json'
import * as z from 'zod'

const schema = z.custom<JsonObject>(isJsonObject)
const example = z.custom<JsonValue>(isJsonValue).optional()
const content = z.record(z.string(), z.object({ schema, example }))
const text = z.string()

const parameter = z.object({ name: text, in: text, required: z.boolean(), schema, description: text, example })
const response = z.object({
  description: text,
  headers: z.record(text, z.unknown()).optional(),
  content: content.optional(),
})
const operation = z.object({
  operationId: text,
  summary: text,
  description: text.optional(),
  tags: z.array(text),
  parameters: z.array(parameter).optional(),
  requestBody: z.object({ content }).optional(),
  responses: z.record(text, response),
  security: z.array(z.object({ bearer: z.array(text) })),
})
const model = z.object({
  tags: z.array(z.object({ name: text, description: text })),
  paths: z.record(text, z.record(text, operation)),
  components: z.object({
    schemas: z.record(text, schema),
    headers: z.record(text, z.object({ description: text })),
  }),
})

type Model = z.output<typeof model>
export type Described = z.output<typeof operation> & { readonly method: string; readonly path: string }
export type Content = z.output<typeof content>
export type Parameter = z.output<typeof parameter>
export type Reference = Omit<Model, 'paths'> & { readonly operations: readonly Described[]; readonly whole: JsonObject }

export function readDocument(whole: JsonObject): Reference {
  const { paths, ...rest } = model.parse(whole)
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({ ...described, method: method.toUpperCase(), path })),
  )
  return { ...rest, operations, whole }
}
