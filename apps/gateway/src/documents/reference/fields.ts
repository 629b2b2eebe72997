import { isJsonArray, isJsonObject, type JsonObject } from '@millrace/core/json'
import { type Markup, markup, prose } from './markup.ts'
import { boundsOf, branchesOf, componentOf, resolved, typeOf } from './schema-type.ts'

/** Schemas are strangers': a table has so many rows, and shows what lies so deep. */
const rowsMax = 300
const depthMax = 6
const branchesMax = 10
/** What refers to the same again and again has few rows and many ways to them. */
const stepsMax = 3_000

type Walk = { readonly whole: JsonObject; readonly rows: Markup[]; readonly within: Set<string>; steps: number }

/** The members of what a schema describes, those of its members among them; nothing where it has none. */
export function fieldsTable(schema: JsonObject, whole: JsonObject, label: string): Markup | undefined {
  const top = resolved(schema, whole)
  const branches = branchesOf(top)
  if (top['properties'] !== undefined || branches.length === 0) return membersTable(schema, whole, label)
  const tables = branches
    .slice(0, branchesMax)
    .map((branch, index) => membersTable(branch, whole, `${label}, alternative ${index + 1}`))
  return markup`${tables}`
}

function membersTable(schema: JsonObject, whole: JsonObject, label: string): Markup | undefined {
  const walk: Walk = { whole, rows: [], within: new Set(refOf(schema)), steps: 0 }
  walkMembers(followed(schema, walk), '', walk, depthMax)
  if (walk.rows.length === 0) return undefined
  return table(label, ['Field', 'Type', 'Required', 'Description'], walk.rows)
}

/** What a reference leads to by however many others: an event type's data may be one to its definitions. */
function followed(schema: JsonObject, { whole, within }: Walk): JsonObject {
  let found = resolved(schema, whole)
  for (let [ref] = refOf(found); ref !== undefined && !within.has(ref); [ref] = refOf(found)) {
    within.add(ref)
    found = resolved(found, whole)
  }
  return found
}

/** A table that scrolls by itself where it is wider than the page. */
export function table(label: string, heads: readonly string[], rows: readonly Markup[]): Markup {
  return markup`<div class="wide" role="region" tabindex="0" aria-label="${label}"><table>
<thead><tr>${heads.map((head) => markup`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`
}

function refOf({ $ref }: JsonObject): string[] {
  return typeof $ref === 'string' ? [$ref] : []
}

function walkMembers(schema: JsonObject, prefix: string, walk: Walk, depth: number): void {
  const { properties, required } = schema
  const needed = new Set(isJsonArray(required) ? required : [])
  for (const [name, member] of Object.entries(isJsonObject(properties) ? properties : {})) {
    if (!isJsonObject(member)) continue
    if (walk.rows.length >= rowsMax) return
    const path = `${prefix}${name}`
    walk.rows.push(row(path, member, needed.has(name)))
    walkInto(member, path, walk, depth - 1)
  }
}

function walkInto(member: JsonObject, path: string, walk: Walk, depth: number): void {
  // A shape of the contract has a section of its own.
  if (depth === 0 || walk.steps++ > stepsMax || componentOf(member) !== undefined) return
  const [ref] = refOf(member)
  if (ref !== undefined) {
    if (walk.within.has(ref)) return
    walk.within.add(ref)
    walkInto(resolved(member, walk.whole) === member ? {} : resolved(member, walk.whole), path, walk, depth)
    walk.within.delete(ref)
    return
  }
  const { items, additionalProperties: others } = member
  if (isJsonObject(items)) walkInto(items, `${path}[]`, walk, depth)
  else if (isJsonObject(others)) walkInto(others, `${path}{}`, walk, depth)
  else if (isJsonObject(member['properties'])) walkMembers(member, `${path}.`, walk, depth)
  else for (const branch of branchesOf(member)) walkInto(branch, path, walk, depth)
}

function row(path: string, member: JsonObject, required: boolean): Markup {
  const { description } = member
  const bounds = boundsOf(member)
  return markup`<tr><th scope="row"><code>${path}</code></th><td class="type">${typeOf(member)}</td><td>${
    required ? 'required' : 'optional'
  }</td><td>${typeof description === 'string' ? prose(description) : ''}${bounds === '' ? '' : markup` <small>${bounds}</small>`}</td></tr>
`
}
