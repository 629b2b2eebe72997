/** What holds for all routes: tokens, retries, problems. */
import { STATUS_CODES } from 'node:http'
import { table } from './fields.ts'
import { type Markup, markup, prose } from './markup.ts'
import type { Described, Reference } from './model.ts'

export function authenticationSection({ operations }: Reference): Markup {
  const byScope = Map.groupBy(
    operations.flatMap((operation) => scopesOf(operation).map((scope) => ({ scope, operation }))),
    ({ scope }) => scope,
  )
  const rows = [...byScope].map(
    ([scope, uses]) =>
      markup`<tr><th scope="row"><code>${scope}</code></th><td>${uses.map(({ operation }, index) => [index === 0 ? '' : ', ', linkTo(operation)])}</td></tr>
`,
  )
  return markup`<section aria-labelledby="authentication">
<h2 id="authentication">Authentication</h2>
<p>Send <code>Authorization: Bearer &lt;JWT&gt;</code>. The token is signed by the issuer whose keys the gateway knows, with an asymmetric
algorithm, and its issuer, audience and expiry are checked. A WebSocket of a browser, which can set no header, passes it as the subprotocols
<code>bearer</code> and the token. Without a valid token the answer is 401, without the scope 403.</p>
<p>Whatever is to be pasted from here needs these two:</p>
<pre tabindex="0" data-copy><code>export MILLRACE_URL=<span data-origin>https://api.example</span>
export MILLRACE_TOKEN=$(npx millrace token --scope 'events:write:*' --scope 'events:read:*')
</code></pre>
<p>A pattern is an event type, or its beginning with <code>*</code> for the tail: <code>order.*</code>. To read a topic the token needs
<code>events:read</code> for every type that is in it.</p>
${table('Scopes', ['Scope', 'For'], rows)}
</section>
`
}

function scopesOf({ security }: Described): string[] {
  return security.flatMap(({ bearer }) => (bearer.length > 0 ? bearer : ['any valid token']))
}

function linkTo({ operationId, method, path }: Described): Markup {
  return markup`<a href="#operation-${operationId}">${method} ${path}</a>`
}

export const retriesSection = markup`<section aria-labelledby="retries">
<h2 id="retries">Retries</h2>
<p>Give each event an <code>id</code> of its own within its <code>source</code>, and keep it. Then sending again is safe: the same
<code>source</code> and <code>id</code> with the same content is answered with 200, <code>status: "duplicate"</code> and the first partition and
offset; with other content with 409.</p>
<ul>
<li><b>201 or 200</b>: it is on all in-sync replicas.</li>
<li><b>503</b>: not confirmed; it may or may not be stored. Wait as long as <code>Retry-After</code> says, then send it again with the same <code>source</code>
and <code>id</code>. Where you gave none, the problem has the <code>id</code> that was given to it.</li>
<li><b>No answer</b>: the same as 503.</li>
<li><b>429</b>: wait as long as <code>Retry-After</code> says. <code>RateLimit</code> says what is left before that happens.</li>
<li><b>207</b>: send again only those events of the batch whose status is <code>unconfirmed</code>; those that are <code>rejected</code> stay so.</li>
<li><b>Any other 4xx</b>: sending it again changes nothing.</li>
</ul>
<p>A stream is resumed with <code>from</code> set to the last cursor: nothing is missed and nothing comes twice.</p>
</section>
`

export function problemsSection({ operations }: Reference): Markup {
  const answers = operations.flatMap(({ responses }) => Object.entries(responses))
  const meanings = Map.groupBy(
    answers.filter(([, { content = {} }]) => Object.hasOwn(content, 'application/problem+json')),
    ([status]) => status,
  )
  const rows = [...meanings]
    .toSorted(([left], [right]) => Number(left) - Number(right))
    .map(([status, described]) => {
      const sentences = [...new Set(described.map(([, { description }]) => description))]
      return markup`<tr><th scope="row">${status}</th><td>${STATUS_CODES[Number(status)]}</td><td>${sentences.map((one) => markup`<p>${prose(one)}</p>`)}</td></tr>
`
    })
  return markup`<section aria-labelledby="problems">
<h2 id="problems">Problems</h2>
<p>Whatever goes wrong is answered with <code>application/problem+json</code> (RFC 9457), a <a href="#schema-Problem">Problem</a>: its
<code>detail</code> is a sentence that says what to do, and <code>errors</code> names each violation by a JSON Pointer.</p>
${table('Statuses', ['Status', 'Title', 'Meaning'], rows)}
</section>
`
}
