/** Numbers of Avro and Protobuf as readers get them, as JSON Schemas. */
import type { JsonObject } from '@millrace/core/json'

export const int32: JsonObject = { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 }
export const digits: JsonObject = { type: 'string', pattern: '^-?[0-9]+$', examples: ['1'] }
/** What is not finite is shown by its name. */
export const real: JsonObject = { anyOf: [{ type: 'number' }, { enum: ['NaN', 'Infinity', '-Infinity'] }] }
