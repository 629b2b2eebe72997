import type { CatalogEntry } from '@millrace/core/catalog'
import type { JsonObject } from '@millrace/core/json'
import { dataShape } from '@millrace/schemas/data-shape'

const known = new WeakMap<CatalogEntry, JsonObject>()

/** The data of an event type as a JSON Schema, made once for each entry; one that says nothing where the schema cannot be read. */
export function eventData(entry: CatalogEntry): JsonObject {
  const found = known.get(entry)
  if (found) return found
  const made = shapeOf(entry)
  known.set(entry, made)
  return made
}

function shapeOf(entry: CatalogEntry): JsonObject {
  try {
    return dataShape(entry)
  } catch {
    // One event type must not take the documents of all others away.
    return { description: 'The schema cannot be read here.' }
  }
}
