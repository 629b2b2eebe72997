// Shows /openapi.json and /asyncapi.json. Everything is put in as text, so that a schema can bring no markup with it.
const place = document.getElementById('documents')
const trouble = document.getElementById('trouble')

document.getElementById('ask').addEventListener('submit', async (event) => {
  event.preventDefault()
  const token = document.getElementById('token').value.trim()
  try {
    const [openApi, asyncApi] = await Promise.all(
      ['/openapi.json', '/asyncapi.json'].map((path) => fetched(path, token)),
    )
    trouble.textContent = ''
    place.replaceChildren(
      element('h2', {}, 'Routes'),
      ...operationsOf(openApi).map(operationDetails),
      element('h2', {}, 'Topics and streams'),
      ...Object.entries(asyncApi.channels).map(([name, channel]) => jsonDetails(name, channel.address, channel)),
      element('h2', {}, 'Shapes'),
      ...Object.entries(openApi.components.schemas).map(([name, schema]) =>
        jsonDetails(name, schema.title ?? '', schema),
      ),
    )
  } catch (error) {
    place.replaceChildren()
    trouble.textContent = error.message
  }
})

async function fetched(path, token) {
  const answer = await fetch(path, { headers: { authorization: `Bearer ${token}` } })
  const body = await answer.json()
  if (!answer.ok) throw new Error(body.detail)
  return body
}

function operationsOf({ paths }) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
  )
}

function operationDetails({ path, method, summary, description, parameters = [], requestBody, responses, security }) {
  const scopes = security.flatMap(({ bearer }) => (bearer.length > 0 ? bearer : ['any valid token']))
  return details(
    [element('code', {}, method), element('code', {}, path), element('span', {}, summary)],
    element('p', {}, description ?? ''),
    element('p', {}, scopes.length > 0 ? `Token: ${scopes.join(' or ')}` : 'No token is needed.'),
    table(parameters.map(({ name, description }) => [name, description])),
    table(Object.keys(requestBody?.content ?? {}).map((mediaType) => ['body', mediaType])),
    table(Object.entries(responses).map(([status, { description }]) => [status, description])),
  )
}

function jsonDetails(name, note, value) {
  return details(
    [element('code', {}, name), element('span', {}, note)],
    element('pre', {}, JSON.stringify(value, undefined, 2)),
  )
}

function details(summary, ...content) {
  return element('details', {}, element('summary', {}, ...summary), ...content)
}

function table(rows) {
  return element(
    'table',
    {},
    ...rows.map((cells) => element('tr', {}, ...cells.map((cell) => element('td', {}, cell)))),
  )
}

function element(name, attributes, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}
