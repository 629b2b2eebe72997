import { count } from '@millrace/core/aggregate'
import { correct, drop, pipeline, toTopic } from '@millrace/core/pipeline'
import { definePlatform, eventTypesOf } from '@millrace/core/platform'
import { session, sliding, tumbling } from '@millrace/core/window'
import { expect, test } from 'vitest'
import { type CatalogEntry, catalogEntryOf, declaredOf, parseCatalogEntry } from '../src/catalog.ts'
import type { Condition } from '../src/expression.ts'
import type { Pipeline } from '../src/pipeline.ts'
import { isPipelineDefinition, pipelineDefinition } from '../src/pipeline-definition.ts'
import { orderPlaced } from './orders.ts'

const from = pipeline('every-part').from(orderPlaced)

const everyPart = from
  .compute((event) => ({ each: event.amount.dividedBy(event.items).times(2).minus(0.5), more: event.items.plus(1) }))
  .where((event) => event.customer.ne('"\u{1f600}').and(event.each.gte(-1e300)).or(event.coupon.isNull().not()))
  .window(sliding('1 hour', { every: '15 minutes' }))
  .watermark({ outOfOrderness: '5 minutes', futureBound: '3 days' })
  .late(toTopic())
  .groupBy((event) => ({ customer: event.customer, more: event.more }))
  .aggregate(() => ({ orders: count() }))

const windowed = from.window(tumbling('1 hour')).watermark({ outOfOrderness: '5 minutes', futureBound: 'none' })
const plain = windowed.groupBy(() => ({})).aggregate(() => ({ orders: count() }))
const corrected = windowed
  .late(correct({ within: '2 hours', beyond: toTopic() }))
  .groupBy(() => ({}))
  .aggregate(() => ({ orders: count() }))
const sessions = from
  .window(session('1 minute'))
  .watermark({ outOfOrderness: '5 minutes' })
  .late(drop())
  .groupBy((event) => ({ at: event.at }))
  .aggregate(() => ({ orders: count() }))

function entryOf(one: Pipeline): CatalogEntry {
  const [, type] = eventTypesOf(definePlatform({ events: [orderPlaced], pipelines: [one] }))
  if (!type) throw new TypeError('no type')
  return catalogEntryOf(type, { id: 1, version: 1, references: [] })
}

function written(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

test.each([
  ['every part', everyPart],
  ['none that may be left out', plain],
  ['corrections', corrected],
  ['sessions', sessions],
])('the catalog keeps a pipeline with %s, word for word', (_what, one) => {
  const entry = entryOf(one)
  const read = parseCatalogEntry(written(entry))
  expect(read?.pipeline).toEqual(pipelineDefinition(one))
  expect(read?.pipeline).toMatchObject({ name: 'every-part', window: one.window, late: one.late })
  // By this text a plan tells whether there is anything to do.
  expect(JSON.stringify(read)).toBe(JSON.stringify(entry))
  expect(JSON.stringify(read && catalogEntryOf(declaredOf(read), { id: 1, version: 1, references: [] }))).toBe(
    JSON.stringify(entry),
  )
})

test('an entry of a type that no pipeline publishes has none, as those that were written before', () => {
  const entry = catalogEntryOf(orderPlaced, { id: 1, version: 1, references: [] })
  expect(written(entry)).not.toHaveProperty('pipeline')
  expect(parseCatalogEntry(written(entry))).toEqual(entry)
  const { pipeline, ...before } = entryOf(everyPart)
  expect(pipeline).toBeDefined()
  expect(parseCatalogEntry(before)).toEqual(before)
})

/** The definition with something else at a path. */
function broken(path: readonly string[], value: unknown): unknown {
  const copy: unknown = written(pipelineDefinition(everyPart))
  let at = copy
  for (const name of path.slice(0, -1)) at = member(at, name)
  if (typeof at !== 'object' || at === null) throw new TypeError(`there is no ${path.join('.')}`)
  Reflect.set(at, path.at(-1) ?? '', value)
  return copy
}

function member(value: unknown, name: string): unknown {
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, name)) return Reflect.get(value, name)
  throw new TypeError(`there is no ${name}`)
}

const operand = ['where', 'operands', '0']

test.each<[string[], unknown]>([
  [['name'], 5],
  [['name'], undefined],
  [['having'], 'more than this version knows'],
  [['from'], null],
  [['from', 'topic'], undefined],
  [['from', 'since'], 'x'],
  [['from', 'time'], 'at'],
  [['from', 'fields'], []],
  [['from', 'fields', 'customer'], { type: 'text', nullable: false }],
  [['from', 'fields', 'customer'], { type: 'string' }],
  [['from', 'fields', 'customer'], { type: 'string', nullable: false, masked: true }],
  [['where'], null],
  [['where'], 'true'],
  [['where', 'kind'], 'xor'],
  [['where', 'operands'], {}],
  [['where', 'operands'], [null]],
  [['where', 'operand'], { kind: 'literal', value: true }],
  [operand, { kind: 'literal', value: null }],
  [operand, { kind: 'literal', value: [1] }],
  [operand, { kind: 'field', name: 'customer', type: 'text' }],
  [operand, { kind: 'field', name: 'customer' }],
  [operand, { kind: 'not' }],
  [[...operand, 'operands', '0', 'operator'], 'like'],
  [[...operand, 'operands', '0', 'left'], undefined],
  [[...operand, 'operands', '1', 'left', 'type'], 'string'],
  [[...operand, 'operands', '1', 'left', 'operator'], 'modulo'],
  [['window'], undefined],
  [['window'], { kind: 'hopping', sizeMs: 60_000, everyMs: 60_000 }],
  [['window'], { kind: 'tumbling', sizeMs: 60_000, everyMs: 30_000 }],
  [['window'], { kind: 'sliding', sizeMs: 60_000, everyMs: 7 }],
  [['window'], { kind: 'sliding', sizeMs: 60_000, everyMs: 1 }],
  [['window'], { kind: 'sliding', sizeMs: 60_000, everyMs: 0 }],
  [['window'], { kind: 'sliding', sizeMs: 60_000.5, everyMs: 60_000.5 }],
  [['window'], { kind: 'session', gapMs: -1 }],
  [['window'], { kind: 'session', gapMs: 1, sizeMs: 1 }],
  [['watermark'], []],
  [['watermark', 'futureBoundMs'], '1 hour'],
  [['watermark', 'futureBoundMs'], 0],
  [['late'], { kind: 'wait' }],
  [['late'], { kind: 'drop', withinMs: 1 }],
  [['late'], { kind: 'correct', withinMs: 1 }],
  [['late'], { kind: 'correct', withinMs: 1, beyond: { kind: 'correct' } }],
  [['groupBy'], undefined],
  [['groupBy'], []],
  [['groupBy', 'customer'], { expression: { kind: 'field', name: 'customer', type: 'string' } }],
  [['groupBy', 'customer'], { type: 'string' }],
])('a definition whose %j is %j is none, and the entry is read without it', (path, value) => {
  const definition = broken(path, value)
  expect(isPipelineDefinition(definition)).toBe(false)
  const entry = parseCatalogEntry({ ...entryOf(everyPart), pipeline: definition })
  expect(entry).toMatchObject({ type: 'every-part' })
  expect(entry).not.toHaveProperty('pipeline')
})

test('an expression that is deeper than any goes through is none, on both sides', () => {
  const chained = (length: number) =>
    from
      .where((event) => {
        let all: Condition = event.amount.gt(0)
        for (let number = 1; number < length; number += 1) all = all.or(event.amount.lt(-number))
        return all
      })
      .window(tumbling('1 hour'))
      .watermark({ outOfOrderness: '5 minutes' })
      .groupBy(() => ({}))
      .aggregate(() => ({ orders: count() }))
  expect(pipelineDefinition(chained(900))).toBeDefined()
  expect(pipelineDefinition(chained(1_100))).toBeUndefined()
  expect(entryOf(chained(1_100))).not.toHaveProperty('pipeline')
  let nested = '{"kind":"literal","value":true}'
  for (let level = 0; level < 5_000; level += 1) nested = `{"kind":"not","operand":${nested}}`
  const deep: unknown = JSON.parse(nested)
  expect(isPipelineDefinition(broken(['where'], deep))).toBe(false)
})

test('a literal that JSON cannot hold is not kept as another', () => {
  const endless = from
    .where((event) => event.amount.lt(Infinity))
    .window(tumbling('1 hour'))
    .watermark({ outOfOrderness: '5 minutes' })
    .groupBy(() => ({}))
    .aggregate(() => ({ orders: count() }))
  expect(pipelineDefinition(endless)).toBeUndefined()
})
