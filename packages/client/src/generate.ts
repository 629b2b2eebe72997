import { readFile } from 'node:fs/promises'
import type { CatalogEntry } from '@millrace/core/catalog'
import { dataShape } from '@millrace/schemas/data-shape'
import { compile } from 'json-schema-to-typescript'

/**
 * The TypeScript client of a catalog, in one file that depends on nothing: the types of its events, and what publishes, reads and
 * subscribes to them.
 * @throws Error when a schema is none
 */
export async function generateClient(catalog: readonly CatalogEntry[]): Promise<string> {
  const types = catalog.toSorted((left, right) => (left.type < right.type ? -1 : 1))
  const shapes = types.map((entry) => ({ ...dataShape(entry), title: typeName(entry.type) }))
  const definitions = await Promise.all(
    shapes.map((shape) =>
      compile({ ...shape, $id: undefined }, shape.title, {
        bannerComment: '',
        format: false,
        unreachableDefinitions: false,
      }),
    ),
  )
  const members = types.map(({ type }) => `  readonly '${type}': ${typeName(type)}.${typeName(type)}\n`)
  const spaces = definitions.map(
    (text, index) => `export namespace ${shapes[index]?.title ?? ''} {\n${indented(text)}\n}\n`,
  )
  return [
    '// Made by "millrace generate client" from the catalog. Make it again when event types change.\n\n',
    `/** The event types of the catalog. */\nexport type EventTypes = {\n${members.join('')}}\n\n`,
    ...spaces,
    '\n',
    await readFile(new URL('runtime.ts', import.meta.url), 'utf8'),
  ].join('')
}

/** `order.placed` → `OrderPlaced`. */
function typeName(type: string): string {
  return type
    .split(/[^a-z0-9]+/)
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
