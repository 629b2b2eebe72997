import type { CatalogEntry } from '@millrace/core/catalog'
import type { JsonObject } from '@millrace/core/json'
import { eventData } from '../event-data.ts'
import { sampleOf } from '../sample.ts'
import { fieldsTable } from './fields.ts'
import { type Markup, markup } from './markup.ts'
import { publishSnippets, type Snippet, streamSnippets } from './snippets.ts'

const dayMs = 86_400_000

/** An event type of the catalog: its data, its place, and how to send and follow it. */
export function eventTypeSection(entry: CatalogEntry, whole: JsonObject): Markup {
  const { type, format, topic, schema } = entry
  const fields = fieldsTable({ $ref: `#/components/schemas/data.${type}` }, whole, `Fields of ${type}`)
  const snippets = [...publishSnippets(type, sampleOf(eventData(entry))), ...streamSnippets(topic)]
  return markup`<details class="type-of-events" id="type-${type}"><summary><h3>${type}</h3> <span class="badge">${format}</span></summary>
<dl>${factsOf(entry).map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<h4>Data</h4>
${format === 'avro' ? markup`<p>As readers get it: a field that has a default may be left out of what is sent.</p>` : ''}
${fields ?? markup`<p>The schema names no fields.</p>`}
<details><summary>The schema as it is registered</summary><pre tabindex="0"><code>${
    typeof schema === 'string' ? schema : JSON.stringify(schema, undefined, 2)
  }</code></pre></details>
<h4>Use</h4>
<p>The values are made up from the schema.</p>
${snippets.map(snippetDetails)}
</details>
`
}

function factsOf(entry: CatalogEntry): [string, Markup | string | number][] {
  const { topic, partitions, key, time, version, schemaId, compatibility } = entry
  return [
    ['Topic', markup`<code>${topic}</code>`],
    ['Partitions', partitions],
    ['Key', key === null ? 'none: events are spread over all partitions' : markup`<code>${key}</code>`],
    ['Event time', time === null ? markup`the attribute <code>time</code>` : markup`<code>${time}</code>`],
    ['Kept for', keptFor(entry)],
    ['Schema', `version ${version}, id ${schemaId}`],
    ['Compatibility', compatibility],
  ]
}

function snippetDetails({ name, language, text }: Snippet): Markup {
  return markup`<details><summary>${name}</summary><pre tabindex="0" data-copy data-language="${language}"><code>${text}</code></pre></details>
`
}

function keptFor({ retentionMs, compacted }: CatalogEntry): string {
  if (compacted) return 'good, the newest event of each key'
  return retentionMs < dayMs ? `${retentionMs / 1_000} s` : `${Math.round((retentionMs / dayMs) * 10) / 10} days`
}
