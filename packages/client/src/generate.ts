import { readFile } from 'node:fs/promises'
import type { CatalogEntry } from '@millrace/core/catalog'
import { isJsonObject, type JsonObject } from '@millrace/core/json'
import { dataShape } from '@millrace/schemas/data-shape'
import { compile } from 'json-schema-to-typescript'

/**
 * The TypeScript client of a catalog, in one file that depends on nothing: the types of its events, and what publishes, reads and
 * subscribes to them.
 * @throws Error when a schema is none, naming its type
 */
export async function generateClient(catalog: readonly CatalogEntry[]): Promise<string> {
  const types = catalog.toSorted((left, right) => (left.type < right.type ? -1 : 1))
  const names = uniqueNames(types.map(({ type }) => type))
  const definitions = await Promise.all(types.map((entry, index) => typesOf(entry, names[index] ?? '')))
  const members = types.map(({ type }, index) => `  readonly '${type}': ${names[index]}.${names[index]}\n`)
  const spaces = definitions.map((text, index) => `export namespace ${names[index]} {\n${indented(text)}\n}\n`)
  return [
    '// Made by "millrace generate client" from the catalog. Make it again when event types change.\n\n',
    `/** The event types of the catalog. */\nexport type EventTypes = {\n${members.join('')}}\n\n`,
    ...spaces,
    '\n',
    await readFile(new URL('runtime.ts', import.meta.url), 'utf8'),
  ].join('')
}

async function typesOf(entry: CatalogEntry, name: string): Promise<string> {
  try {
    return await compile({ ...withoutCode(dataShape(entry)), title: name }, name, {
      bannerComment: '',
      format: false,
      unreachableDefinitions: false,
      // Nothing is read or fetched because a schema says so.
      $refOptions: { resolve: { external: false } },
    })
  } catch (cause) {
    throw new Error(`no types can be made of the schema of ${entry.type}: ${String(cause)}`, { cause })
  }
}

/** What the compiler takes over as it stands would be code of whoever wrote the schema. A member of that name is an object, and stays. */
function withoutCode(shape: JsonObject): JsonObject {
  const clean: unknown = JSON.parse(JSON.stringify(shape), (name, value: unknown) =>
    (name === 'tsType' && typeof value === 'string') || (name === 'tsEnumNames' && Array.isArray(value))
      ? undefined
      : value,
  )
  return isJsonObject(clean) ? clean : {}
}

/** Types that differ in case, or in what is between their words, alone are numbered where their names are the same. */
function uniqueNames(types: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return types.map((type) => {
    const name = typeName(type)
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name}_${count}`
  })
}

/** `order.placed` → `OrderPlaced`, `com.example.OrderPlaced` → `ComExampleOrderPlaced`; a letter behind a digit is a capital, as the compiler has it. */
function typeName(type: string): string {
  return type
    .split(/[^a-zA-Z0-9]+|(?<=\d)(?=[a-z])/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
}

function indented(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n')
}
