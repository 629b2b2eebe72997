/**
 * Where a schema breaks with a former one, in the obvious cases. The registry decides whether it does; its reasons name a place in Avro, often
 * none in JSON Schema ("a new required property was added"), and a message rather than a field in Protobuf.
 */
import type { Compatibility } from '@millrace/core/event-type'
import { isJsonObject, type JsonObject, type JsonValue, pointerOf } from '@millrace/core/json'
import { Enum, type Field, Namespace, type NamespaceBase, Type } from 'protobufjs'
import type { SchemaSource } from './codec.ts'
import { parseProtobuf } from './protobuf-file.ts'
import type { Incompatibility } from './registry-answer.ts'

const nestingMax = 32

/** @throws MillraceError 'registry.refused' when one of them is no schema */
export function differencesOf(former: SchemaSource, next: SchemaSource, level: Compatibility): Incompatibility[] {
  if (former.format === 'protobuf' && next.format === 'protobuf') return inProtobuf(former, next)
  if (former.format !== 'json' || !isJsonObject(former.schema) || !isJsonObject(next.schema)) return []
  const backward = level === 'BACKWARD' || level === 'FULL' ? inJsonSchema(former.schema, next.schema, []) : []
  const forward = level === 'FORWARD' || level === 'FULL' ? inJsonSchema(next.schema, former.schema, []) : []
  const told = forward.map(({ path, detail }) => ({ path, detail: `${detail}, seen from who reads by the former one` }))
  return [...backward, ...told]
}

/** Why a reader by `reader` may not take what a writer by `writer` writes. */
function inJsonSchema(writer: JsonObject, reader: JsonObject, path: readonly string[]): Incompatibility[] {
  if (path.length > nestingMax) return []
  const before = typesOf(writer)
  const lost = typesOf(reader).length === 0 ? [] : before.filter((type) => !accepts(typesOf(reader), type))
  if (lost.length > 0) {
    return [
      {
        path: pointerOf(...path, 'type'),
        detail: `it was ${lost.join(' or ')} and is ${typesOf(reader).join(' or ')}`,
      },
    ]
  }
  const [written, read] = [propertiesOf(writer), propertiesOf(reader)]
  const required = namesIn(reader['required']).filter((name) => !namesIn(writer['required']).includes(name))
  const closed = reader['additionalProperties'] === false ? Object.keys(written).filter((name) => !(name in read)) : []
  const common = Object.entries(written).flatMap(([name, property]) => {
    const other = Object.hasOwn(read, name) ? read[name] : undefined
    return isJsonObject(property) && isJsonObject(other)
      ? inJsonSchema(property, other, [...path, 'properties', name])
      : []
  })
  const at = (name: string) => pointerOf(...path, 'properties', name)
  return [
    ...required.map((name) => ({ path: at(name), detail: `"${name}" is required and was not` })),
    ...closed.map((name) => ({
      path: at(name),
      detail: `"${name}" is no property any more, and others are not allowed`,
    })),
    ...common,
  ]
}

function typesOf({ type }: JsonObject): string[] {
  return typeof type === 'string' ? [type] : namesIn(type)
}

function accepts(types: readonly string[], type: string): boolean {
  return types.includes(type) || (type === 'integer' && types.includes('number'))
}

function propertiesOf({ properties }: JsonObject): JsonObject {
  return isJsonObject(properties) ? properties : {}
}

function namesIn(value: JsonValue | undefined): string[] {
  const values: readonly JsonValue[] = Array.isArray(value) ? value : []
  return values.filter((name) => typeof name === 'string')
}

function inProtobuf(former: SchemaSource, next: SchemaSource): Incompatibility[] {
  const [before, after] = [typesIn(former), typesIn(next)]
  return [...before].flatMap(([name, type]) => {
    const now = after.get(name)
    return now ? inMessage(name, type, now) : [{ path: name, detail: `the message ${name} is gone` }]
  })
}

function inMessage(message: string, before: Type, now: Type): Incompatibility[] {
  return before.fieldsArray.flatMap((field) => {
    const path = `${message}.${field.name}`
    const same = now.fieldsArray.find(({ id }) => id === field.id)
    if (!same)
      return now.isReservedId(field.id) ? [] : [{ path, detail: `the field ${field.id} is gone and not reserved` }]
    if (same.name !== field.name) return [{ path, detail: `the field ${field.id} is now called ${same.name}` }]
    const [was, is] = [kindOf(field), kindOf(same)]
    return was === is ? [] : [{ path, detail: `the field ${field.id} was ${was} and is ${is}` }]
  })
}

function kindOf(field: Field): string {
  return `${field.repeated ? 'repeated ' : ''}${field.type}`
}

/** The messages of a file by their full names, those that it imports too. */
function typesIn({ schema, references }: SchemaSource): Map<string, Type> {
  const { root } = parseProtobuf(typeof schema === 'string' ? schema : '', references)
  return new Map(messagesWithin(root).map((type) => [type.fullName.replace(/^\./, ''), type]))
}

function messagesWithin(scope: NamespaceBase): Type[] {
  return scope.nestedArray.flatMap((object) => {
    if (object instanceof Enum) return []
    const inner = object instanceof Namespace || object instanceof Type ? messagesWithin(object) : []
    return object instanceof Type ? [object, ...inner] : inner
  })
}
