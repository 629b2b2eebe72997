import { isJsonObject, type JsonObject } from './json.ts'

/** The scalar types that the pipeline language, Flink SQL and the warehouse share. */
export type FieldType = 'string' | 'number' | 'integer' | 'boolean' | 'timestamp'

export type Field = { readonly type: FieldType; readonly nullable: boolean }
export type Fields = Readonly<Record<string, Field>>

type FieldTypeOf<Property> = Property extends { type: 'string'; format: 'date-time' }
  ? 'timestamp'
  : Property extends { type: infer Type extends 'string' | 'number' | 'integer' | 'boolean' }
    ? Type
    : never

/** The scalar top-level properties of a JSON Schema, as types: what a pipeline over it may name. */
export type FieldsOf<Schema> = Schema extends { properties: infer Properties }
  ? {
      readonly [Name in keyof Properties as FieldTypeOf<Properties[Name]> extends never ? never : Name & string]: {
        readonly type: FieldTypeOf<Properties[Name]>
        readonly nullable: Schema extends { required: readonly (infer Required)[] }
          ? Name extends Required
            ? false
            : true
          : true
      }
    }
  : Fields

/** The scalar top-level properties of a JSON Schema. Properties of other shapes are left out. */
export function fieldsOf<Schema>(schema: Schema): FieldsOf<Schema>
export function fieldsOf(schema: JsonObject | string): Fields {
  if (typeof schema === 'string') return {}
  const properties = schema['properties']
  if (!isJsonObject(properties)) return {}
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) => {
      const type = fieldTypeOf(property)
      return type ? [[name, { type, nullable: !required.includes(name) }]] : []
    }),
  )
}

function fieldTypeOf(property: unknown): FieldType | undefined {
  if (!isJsonObject(property)) return undefined
  switch (property['type']) {
    case 'string':
      return property['format'] === 'date-time' ? 'timestamp' : 'string'
    case 'number':
    case 'integer':
    case 'boolean':
      return property['type']
    default:
      return undefined
  }
}
