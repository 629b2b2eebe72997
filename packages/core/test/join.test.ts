import { expect, expectTypeOf, test } from 'vitest'
import { count, sum } from '../src/aggregate.ts'
import { eventType } from '../src/event-type.ts'
import { pipeline } from '../src/pipeline.ts'
import { definePlatform } from '../src/platform.ts'
import { testPipeline } from '../src/test-pipeline.ts'
import { tumbling } from '../src/window.ts'

const sale = eventType('sale', {
  schema: {
    type: 'object',
    properties: {
      shop: { type: 'string' },
      article: { type: 'integer' },
      amount: { type: 'number' },
      at: { type: 'string', format: 'date-time' },
    },
    required: ['shop', 'amount', 'at'],
  },
  time: '/at',
})
const shop = eventType('shop', {
  schema: {
    type: 'object',
    properties: { id: { type: 'string' }, country: { type: 'string' }, rate: { type: 'number' } },
    required: ['id', 'country'],
  },
  key: '/id',
  compacted: true,
})
const article = eventType('article', {
  schema: {
    type: 'object',
    properties: { number: { type: 'integer' }, country: { type: 'string' } },
    required: ['number', 'country'],
  },
  key: '/number',
  compacted: true,
})

const perCountry = pipeline('per-country')
  .from(sale)
  .joinLatest(shop, { by: (event) => event.shop, take: (latest) => ({ country: latest.country, rate: latest.rate }) })
  .compute((event) => ({ paid: event.amount.times(event.rate) }))
  .where((event) => event.country.isNull().or(event.country.ne('XX')))
  .window(tumbling('1 hour'))
  .watermark({ outOfOrderness: '1 minute' })
  .groupBy((event) => ({ country: event.country }))
  .aggregate((event) => ({ sales: count(), paid: sum(event.paid) }))

const at = '2025-01-01T00:10:00Z'
const tables = {
  shop: [
    { id: 'a', country: 'NL', rate: 1 },
    { id: 'b', country: 'NL' },
    { id: 'x', country: 'XX', rate: 1 },
    { id: 'a', country: 'FR', rate: 2 },
  ],
}

test('an event has the fields of the newest event of its key, and null where there is none', () => {
  const events = ['a', 'b', 'nowhere', 'x', 'a'].map((id, index) => ({ shop: id, amount: index + 1, at }))
  const { results, filtered } = testPipeline(perCountry, events, { tables })
  expect(results.map(({ country, sales, paid }) => ({ country, sales, paid }))).toEqual([
    { country: 'FR', sales: 2, paid: 12 },
    { country: 'NL', sales: 1 },
    { sales: 1 },
  ])
  expect(filtered).toEqual([events[3]])
})

test('several tables are joined, one by the field of another, and each field is of its own table', () => {
  const abroad = pipeline('abroad')
    .from(sale)
    .joinLatest(shop, { by: (event) => event.shop, take: (latest) => ({ to: latest.country }) })
    .joinLatest(article, { by: (event) => event.article, take: (latest) => ({ made: latest.country }) })
    .where((event) => event.to.ne(event.made))
    .window(tumbling('1 hour'))
    .watermark({ outOfOrderness: '1 minute' })
    .groupBy((event) => ({ made: event.made, to: event.to }))
    .aggregate(() => ({ sales: count() }))
  const events = [
    { shop: 'a', article: 1, amount: 1, at },
    { shop: 'b', article: 1, amount: 1, at },
    { shop: 'b', amount: 1, at },
  ]
  const made = { ...tables, article: [{ number: 1, country: 'NL' }] }
  const { results, filtered } = testPipeline(abroad, events, { tables: made })
  expect(results).toMatchObject([{ made: 'NL', to: 'FR', sales: 1 }])
  expect(filtered).toEqual(events.slice(1))
})

test('what is joined has the types of its table, and may be null', () => {
  const joined = pipeline('typed')
    .from(sale)
    .joinLatest(shop, { by: (event) => event.shop, take: (latest) => ({ country: latest.country, rate: latest.rate }) })
    .window(tumbling('1 hour'))
    .watermark({ outOfOrderness: '1 minute' })
    .groupBy((event) => ({ country: event.country }))
    .aggregate((event) => ({ rate: sum(event.rate) }))
  expect(joined.result.fields.country).toEqual({ type: 'string', nullable: true })
  expectTypeOf(joined.result.fields.country.type).toEqualTypeOf<'string'>()
  const start = pipeline('wrong').from(sale)
  expect(() =>
    start.joinLatest(shop, {
      // @ts-expect-error no number is a key
      by: (event) => event.amount,
      take: (latest) => ({ country: latest.country }),
    }),
  ).toThrow('whose key is of the type string, by one of the type number')
})

test('only a table is joined: compacted, by a key of its type, with names of its own', () => {
  const start = pipeline('wrong').from(sale)
  const kept = eventType('kept', { schema: shop.schema, key: '/id' })
  const take = (): Record<string, never> => ({})
  expect(() => start.joinLatest(kept, { by: (event) => event.shop, take })).toThrow(
    'joins the newest events of "kept", whose topic does not keep them: declare it with compacted: true',
  )
  expect(() => start.joinLatest(shop, { by: (event) => event.article, take })).toThrow(
    'joins "shop", whose key is of the type string, by one of the type integer: both must be strings, or both integers',
  )
  expect(() =>
    start.joinLatest(shop, { by: (event) => event.shop, take: (latest) => ({ amount: latest.rate }) }),
  ).toThrow('there is a field "amount" already')
  expect(() => eventType('keyless', { schema: shop.schema, compacted: true })).toThrow('give it a key')
  expect(() => eventType('keyless', { schema: sale.schema, key: '/article', compacted: true })).toThrow('give it a key')
  expect(() => definePlatform({ events: [sale], pipelines: [perCountry] })).toThrow(
    'pipeline "per-country" joins "shop", which the platform does not declare',
  )
  expect(() => testPipeline(perCountry, [], { tables: { shops: [] } })).toThrow('does not join "shops"')
})
