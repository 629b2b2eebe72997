import type { JsonObject, JsonValue } from '@millrace/core/json'
import { fieldsTable, table } from './fields.ts'
import { type Markup, markup, prose } from './markup.ts'
import type { Content, Described, Parameter, Reference } from './model.ts'
import { boundsOf, typeOf } from './schema-type.ts'

/** A route: what it is for, who may use it, what it takes and what it answers. */
export function operationSection(described: Described, reference: Reference): Markup {
  const { operationId, method, path, summary, description = '', parameters, requestBody, security } = described
  return markup`<section class="operation" aria-labelledby="operation-${operationId}">
<h3 id="operation-${operationId}"><a href="#operation-${operationId}"><code><b>${method}</b> ${path}</code></a></h3>
<p><strong>${summary}.</strong> ${prose(description)}</p>
<p>Token: ${scopesOf(security)}.</p>
${parameters ? [markup`<h4>Parameters</h4>`, parametersTable(`Parameters of ${method} ${path}`, parameters)] : ''}
${requestBody ? [markup`<h4>Request body</h4>`, bodies(requestBody.content, reference)] : ''}
<h4>Answers</h4>
${Object.entries(described.responses).map(([status, answer]) => answerDetails(status, answer, reference))}
</section>
`
}

function scopesOf(security: Described['security']): Markup {
  if (security.length === 0) return markup`none is needed`
  const scopes = security.flatMap(({ bearer }) => bearer)
  if (scopes.length === 0) return markup`any that is valid`
  return markup`with ${scopes.map((scope, index) => markup`${index === 0 ? '' : ' or '}<code>${scope}</code>`)}`
}

function parametersTable(label: string, parameters: readonly Parameter[]): Markup {
  const rows = parameters.map(({ name, in: place, schema, required, description, example }) => {
    const more = [boundsOf(schema), ...(example === undefined ? [] : [`for example ${plain(example)}`])]
    return markup`<tr><th scope="row"><code>${name}</code></th><td>${place}</td><td class="type">${typeOf(schema)}</td><td>${
      required ? 'required' : 'optional'
    }</td><td>${prose(description)} <small>${more.filter((one) => one !== '').join(', ')}</small></td></tr>
`
  })
  return table(label, ['Name', 'In', 'Type', 'Required', 'Description'], rows)
}

function plain(example: JsonValue): string {
  return typeof example === 'string' ? example : JSON.stringify(example)
}

type Answer = Described['responses'][string]

function answerDetails(
  status: string,
  { description, headers = {}, content = {} }: Answer,
  reference: Reference,
): Markup {
  const rows = Object.keys(headers).map(
    (name) =>
      markup`<tr><th scope="row"><code>${name}</code></th><td>${prose(reference.components.headers[name]?.description ?? '')}</td></tr>
`,
  )
  return markup`<details><summary><b class="status s${status.slice(0, 1)}">${status}</b> ${prose(description)}</summary>
${rows.length > 0 ? table(`Headers of ${status}`, ['Header', 'Description'], rows) : ''}
${bodies(content, reference, 'open')}
</details>
`
}

function bodies(content: Content, { whole }: Reference, open?: 'open'): Markup[] {
  return Object.entries(content).map(([mediaType, { schema, example }]) => {
    const inner = markup`${schemaLine(schema)}
${open ? '' : (fieldsTable(schema, whole, `Fields of ${mediaType}`) ?? '')}
${example === undefined ? '' : markup`<pre tabindex="0"><code>${exampleText(example)}</code></pre>`}`
    return open
      ? markup`<div class="body"><p><code>${mediaType}</code></p>${inner}</div>`
      : markup`<details><summary><code>${mediaType}</code></summary>${inner}</details>`
  })
}

function schemaLine(schema: JsonObject): Markup {
  const { description } = schema
  return markup`<p>Schema: <span class="type">${typeOf(schema)}</span>. ${typeof description === 'string' ? prose(description) : ''}</p>`
}

function exampleText(example: JsonValue): string {
  return typeof example === 'string' ? example : JSON.stringify(example, undefined, 2)
}
