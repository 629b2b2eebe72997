import type { CatalogEntry } from '@millrace/core/catalog'
import type { JsonObject } from '@millrace/core/json'
import { examples } from '../examples.ts'
import { eventTypeSection } from './event-type-section.ts'
import { fieldsTable } from './fields.ts'
import { authenticationSection, problemsSection, retriesSection } from './guide.ts'
import { type Markup, markup, prose } from './markup.ts'
import { readDocument, type Reference } from './model.ts'
import { operationSection } from './operation-section.ts'

/** What the page shows: the OpenAPI document that is served, and the event types of the catalog, for a person to read. */
export function referenceOf(document: JsonObject, catalog: readonly CatalogEntry[]): string {
  const reference = readDocument(document)
  const types = catalog.toSorted((left, right) => (left.type < right.type ? -1 : 1))
  return markup`<a class="skip" href="#reference">Skip the contents</a>
${contents(reference, types)}
<article id="reference">
<p>For programs: <a href="/openapi.json" data-download="openapi.json">openapi.json</a> (OpenAPI 3.1) and
<a href="/asyncapi.json" data-download="asyncapi.json">asyncapi.json</a> (AsyncAPI 3), with any valid token.</p>
${authenticationSection(reference)}
${retriesSection}
${problemsSection(reference)}
${reference.tags.map(({ name, description }) => tagSection(name, description, reference))}
<section aria-labelledby="event-types">
<h2 id="event-types">Event types</h2>
<p>${types.length === 0 ? 'There is none yet.' : `The catalog has ${types.length} at the moment.`}</p>
${types.map((entry) => eventTypeSection(entry, document))}
</section>
<section aria-labelledby="schemas">
<h2 id="schemas">Schemas</h2>
${shapesOf(reference).map(([name, schema]) => shapeDetails(name, schema, document))}
</section>
</article>
`.toString()
}

function tagSection(name: string, description: string, reference: Reference): Markup {
  const operations = reference.operations.filter(({ tags }) => tags.includes(name))
  return markup`<section aria-labelledby="tag-${name}">
<h2 id="tag-${name}">${name}</h2>
<p>${description}</p>
${operations.map((operation) => operationSection(operation, reference))}
</section>
`
}

function contents(reference: Reference, types: readonly CatalogEntry[]): Markup {
  const { operations, tags } = reference
  return markup`<nav aria-label="Contents">
<ul>
<li><a href="#authentication">Authentication</a></li>
<li><a href="#retries">Retries</a></li>
<li><a href="#problems">Problems</a></li>
${tags.map(
  ({ name }) => markup`<li><a href="#tag-${name}">${name}</a><ul>${operations
    .filter((operation) => operation.tags.includes(name))
    .map((one) => entry(`operation-${one.operationId}`, `${one.method} ${one.path}`))}</ul></li>
`,
)}<li><a href="#event-types">Event types</a><ul>${types.map(({ type }) => entry(`type-${type}`, type))}</ul></li>
<li><a href="#schemas">Schemas</a><ul>${shapesOf(reference).map(([name]) => entry(`schema-${name}`, name))}</ul></li>
</ul>
</nav>
`
}

function entry(id: string, text: string): Markup {
  return markup`<li><a href="#${id}"><code>${text}</code></a></li>
`
}

/** The shapes of the contract; the data of event types is with these. */
function shapesOf({ components }: Reference): [string, JsonObject][] {
  return Object.entries(components.schemas).filter(([name]) => !name.startsWith('data.'))
}

function shapeDetails(name: string, schema: JsonObject, whole: JsonObject): Markup {
  const { description } = schema
  const example = examples[name]
  return markup`<details id="schema-${name}"><summary><h3>${name}</h3></summary>
${typeof description === 'string' ? markup`<p>${prose(description)}</p>` : ''}
${fieldsTable(schema, whole, `Fields of ${name}`) ?? ''}
${example === undefined ? '' : markup`<h4>Example</h4><pre tabindex="0"><code>${JSON.stringify(example, undefined, 2)}</code></pre>`}
<details><summary>JSON Schema</summary><pre tabindex="0"><code>${JSON.stringify(schema, undefined, 2)}</code></pre></details>
</details>
`
}
