/** Commands and programs to paste: they take the address and the token from the environment. */
import type { JsonValue } from '@millrace/core/json'

export type Snippet = { readonly name: string; readonly language: 'sh' | 'ts'; readonly text: string }

/** What the snippets of a type stand on. A JSON text has no line that is a bare word, so that it cannot end the shell's document. */
export function publishSnippets(type: string, data: JsonValue): readonly Snippet[] {
  const attributes = { specversion: '1.0', type, source: '/docs/example' }
  const curl = `curl --fail-with-body "$MILLRACE_URL/v1/events" \\
  --header "authorization: Bearer $MILLRACE_TOKEN" \\
  --header 'content-type: application/cloudevents+json' \\
  --data-binary @- <<'EVENT'
${JSON.stringify({ ...attributes, data }, undefined, 2)}
EVENT
`
  const fields = Object.entries(attributes).map(([name, value]) => `  ${name}: ${JSON.stringify(value)},\n`)
  const program = `const event = {
${fields.join('')}  id: crypto.randomUUID(), // keep it for a retry
  data: ${JSON.stringify(data, undefined, 2).replaceAll('\n', '\n  ')},
}
const answer = await fetch(\`\${process.env.MILLRACE_URL}/v1/events\`, {
  method: 'POST',
  headers: {
    authorization: \`Bearer \${process.env.MILLRACE_TOKEN}\`,
    'content-type': 'application/cloudevents+json',
  },
  body: JSON.stringify(event),
})
if (!answer.ok) throw new Error(await answer.text())
console.log(await answer.json())
`
  return [
    { name: 'Publish with curl', language: 'sh', text: curl },
    { name: 'Publish with TypeScript', language: 'ts', text: program },
  ]
}

export function streamSnippets(topic: string): readonly Snippet[] {
  const path = `/v1/events/stream?topic=${encodeURIComponent(topic)}`
  const curl = `curl --no-buffer "$MILLRACE_URL${path}&from=earliest" \\
  --header "authorization: Bearer $MILLRACE_TOKEN" \\
  --header 'accept: text/event-stream'
`
  const program = `const url = \`\${process.env.MILLRACE_URL}${path}&from=earliest\`
const socket = new WebSocket(url.replace(/^http/, 'ws'), ['bearer', process.env.MILLRACE_TOKEN ?? ''])
socket.onmessage = ({ data }) => {
  const frame = JSON.parse(String(data))
  if ('gap' in frame) console.warn('missed', frame.gap)
  else if ('event' in frame) console.log(frame.event, frame.cursor) // keep the cursor: from=<cursor> goes on behind it
}
socket.onclose = ({ code, reason }) => console.warn('closed', code, reason)
`
  return [
    { name: 'Stream with curl', language: 'sh', text: curl },
    { name: 'Stream with TypeScript', language: 'ts', text: program },
  ]
}
