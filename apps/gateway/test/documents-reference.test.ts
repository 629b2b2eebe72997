import type { CatalogEntry } from '@millrace/core/catalog'
import type { JsonObject } from '@millrace/core/json'
import { expect, test } from 'vitest'
import { openApiDocument } from '../src/documents/openapi.ts'
import { operations } from '../src/documents/operations.ts'
import { readDocument } from '../src/documents/reference/model.ts'
import { referenceOf } from '../src/documents/reference/reference.ts'
import { catalog } from './documents-catalog.ts'
import { ancestorsOf, attributeOf, byId, elementsOf, type Element, parseHtml, textOf } from './html.ts'

const routes = Object.keys(operations).map((name) => {
  const [method = '', url = ''] = name.split(' ')
  return { method, url }
})

function rendered(types: readonly CatalogEntry[] = catalog): Element {
  return parseHtml(referenceOf(openApiDocument(routes, types), types))
}

/** The cells of the row that is headed by a name. */
function rowOf(section: Element, head: string): string[] {
  const row = elementsOf(section, 'tr').find((one) => textOf(elementsOf(one, 'th')[0]) === head)
  return row ? elementsOf(row, 'td').map(textOf) : []
}

const whole = readDocument(openApiDocument(routes, catalog))

test.each(whole.operations)('$method $path has its section, with all that it takes and answers', (operation) => {
  const heading = byId(rendered(), `operation-${operation.operationId}`)
  expect(textOf(heading)).toBe(`${operation.method} ${operation.path}`)
  const section = ancestorsOf(heading).find(({ tagName }) => tagName === 'section')
  if (!section) throw new Error('no section')
  expect(textOf(section)).toContain(operation.summary)
  for (const { name, in: place, required } of operation.parameters ?? []) {
    const [shownPlace, type, shownRequired] = rowOf(section, name)
    expect([shownPlace, shownRequired], name).toEqual([place, required ? 'required' : 'optional'])
    expect(type, name).toMatch(/string|integer|object|"/)
  }
  const summaries = elementsOf(section, 'summary').map(textOf)
  for (const mediaType of Object.keys(operation.requestBody?.content ?? {})) expect(summaries).toContain(mediaType)
  for (const [status, { description, content = {} }] of Object.entries(operation.responses)) {
    expect(summaries).toContain(`${status} ${description.replaceAll('`', '')}`)
    for (const mediaType of Object.keys(content)) expect(textOf(section)).toContain(mediaType)
  }
  for (const { bearer } of operation.security) for (const scope of bearer) expect(textOf(section)).toContain(scope)
})

test('what may be linked to has an address of its own, also where types have like names', () => {
  const names = ['line.drawn', 'Line.drawn', 'line-drawn', 'line_drawn', 's', 'Problem']
  const page = rendered(names.map((type) => ({ ...catalog[0], type })))
  const ids = elementsOf(page).flatMap((element) => attributeOf(element, 'id') ?? [])
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toEqual(expect.arrayContaining(names.map((type) => `type-${type}`)))
})

test('every event type of the catalog is listed, with its fields, its topic and what can be pasted', () => {
  const page = rendered()
  for (const { type, topic, format } of catalog) {
    const section = byId(page, `type-${type}`)
    expect(textOf(section)).toContain(format)
    expect(elementsOf(section, 'dd').map(textOf)).toContain(topic)
    expect(elementsOf(section, 'summary').map(textOf)).toEqual(
      expect.arrayContaining([
        'Publish with curl',
        'Publish with TypeScript',
        'Stream with curl',
        'Stream with TypeScript',
      ]),
    )
  }
  expect(rowOf(byId(page, 'type-quake.recorded'), 'magnitude')).toEqual([
    'number | "NaN" | "Infinity" | "-Infinity"',
    'required',
    'Richter.',
  ])
  expect(rowOf(byId(page, 'type-quake.recorded'), 'felt')).toEqual(['null | integer', 'required', ''])
  expect(rowOf(byId(page, 'type-weather.observed'), 'seenAt')).toEqual(['string (date-time)', 'optional', ''])
  expect(rowOf(byId(page, 'type-line.drawn'), 'next')).toEqual(['point', 'optional', ''])
})

test('the branches of an Avro union are shown with the names that wrap them', () => {
  const schema = { type: 'record', name: 'R', fields: [{ name: 'size', type: ['null', 'int', 'long'] }] }
  const section = byId(rendered([{ ...catalog[1], type: 'sized', schema }]), 'type-sized')
  expect(rowOf(section, 'size')).toEqual(['null | {int: integer} | {long: integer | string}', 'required', ''])
})

test('an empty catalog has its page too', () => {
  expect(textOf(rendered([]))).toContain('There is none yet.')
})

test('every link within the page leads somewhere, no two things have one id, and the headings leave no level out', () => {
  const page = rendered()
  const ids = elementsOf(page).flatMap((element) => attributeOf(element, 'id') ?? [])
  expect(ids).toEqual([...new Set(ids)])
  const targets = elementsOf(page, 'a').map((link) => attributeOf(link, 'href') ?? '')
  const within = targets.filter((target) => target.startsWith('#')).map((target) => target.slice(1))
  expect(within.length).toBeGreaterThan(50)
  expect(within.filter((id) => !ids.includes(id))).toEqual([])
  expect(targets.filter((target) => !target.startsWith('#'))).toEqual(['/openapi.json', '/asyncapi.json'])
  const levels = elementsOf(page).flatMap(({ tagName }) => (/^h[1-6]$/.test(tagName) ? [Number(tagName[1])] : []))
  expect(levels.every((level, index) => level <= (levels[index - 1] ?? 1) + 1)).toBe(true)
})

const hostile = `</code></pre><script>alert(1)</script><img src=x onerror='alert("2")'>\`<b>\`&amp;`

test.each([
  {
    format: 'json',
    schema: {
      type: 'object',
      description: hostile,
      required: [hostile],
      properties: {
        [hostile]: { type: hostile, format: hostile, description: hostile, default: hostile, pattern: hostile },
      },
      definitions: { [hostile]: { enum: [hostile] } },
    },
  },
  { format: 'json', schema: { anyOf: [{ $ref: `#/definitions/${hostile}` }, { title: hostile, const: hostile }] } },
  {
    format: 'avro',
    schema: { type: 'record', name: 'Quake', fields: [{ name: 'a', doc: hostile, type: 'double', default: hostile }] },
  },
  { format: 'protobuf', schema: `syntax = "proto3"; /* ${hostile} */ message A { string b = 1; } // ${hostile}` },
] as const)('markup in a schema stays text: %#', (type) => {
  const clean = rendered()
  const before = elementsOf(clean).length
  const entry = { ...catalog[0], ...type, type: 'hostile' }
  const page = rendered([...catalog, entry])
  const section = byId(page, 'type-hostile')
  expect(textOf(section)).toContain('<script>alert(1)</script>')
  expect(elementsOf(page, 'script')).toEqual([])
  expect(elementsOf(page, 'img')).toEqual([])
  expect(
    elementsOf(page).filter(({ attrs }) => attrs.some(({ name }) => name.startsWith('on') || name === 'style')),
  ).toEqual([])
  expect(elementsOf(page).length).toBeGreaterThan(before)
})

test('a schema that leads back to itself, and one that refers to the same a thousand times, are shown within bounds', () => {
  const loop: CatalogEntry = {
    ...catalog[0],
    type: 'loop',
    schema: { $ref: '#/definitions/a', definitions: { a: { $ref: '#' } } },
  }
  const levels = Array.from({ length: 8 }, (_none, level): [string, JsonObject] => [
    `level${level}`,
    { anyOf: Array.from({ length: 50 }, () => ({ $ref: `#/definitions/level${level + 1}` })) },
  ])
  const wide: CatalogEntry = {
    ...catalog[0],
    type: 'wide',
    schema: {
      type: 'object',
      properties: { a: { $ref: '#/definitions/level0' } },
      definitions: Object.fromEntries(levels),
    },
  }
  const since = performance.now()
  expect(textOf(rendered([loop, wide]))).toContain('The catalog has 2')
  expect(performance.now() - since).toBeLessThan(2_000)
})
