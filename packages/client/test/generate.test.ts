import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CatalogEntry } from '@millrace/core/catalog'
import { expect, onTestFinished, test } from 'vitest'
import ts from 'typescript'
import { generateClient } from '../src/generate.ts'

const common = {
  time: null,
  partitions: 3,
  retentionMs: 1,
  compacted: false,
  compatibility: 'BACKWARD',
  version: 1,
  key: null,
  schemaId: 1,
  sensitive: [],
} as const
const entries: readonly CatalogEntry[] = [
  {
    ...common,
    type: 'order.placed',
    topic: 'order.placed',
    format: 'json',
    references: [
      {
        name: 'money.json',
        subject: 'money',
        version: 1,
        schema:
          '{"type":"object","properties":{"amount":{"$ref":"#/definitions/cents"},"per":{"$ref":"#"}},"definitions":{"cents":{"type":"integer"}}}',
      },
    ],
    schema: {
      $id: 'https://example.com/order',
      type: 'object',
      properties: {
        customer: { type: 'string' },
        address: { $ref: '#/definitions/address' },
        price: { $ref: 'money.json' },
      },
      required: ['customer'],
      additionalProperties: false,
      definitions: { address: { type: 'object', properties: { street: { type: 'string' } } } },
    },
  },
  {
    ...common,
    type: 'quake.recorded',
    topic: 'quakes',
    format: 'avro',
    references: [
      {
        name: 'seismic.Network',
        subject: 'network',
        version: 1,
        schema: '{"type":"enum","name":"seismic.Network","symbols":["CI","NC"]}',
      },
    ],
    schema: {
      type: 'record',
      name: 'Quake',
      namespace: 'seismic',
      fields: [
        { name: 'network', type: 'Network' },
        { name: 'count', type: 'long' },
        { name: 'size', type: ['null', 'int', 'double'] },
        { name: 'before', type: ['null', 'Quake'], default: null },
        { name: 'waves', type: { type: 'array', items: { type: 'map', values: 'double' } } },
      ],
    },
  },
  {
    ...common,
    type: 'weather-observed',
    topic: 'weather',
    format: 'protobuf',
    references: [],
    schema: `syntax = "proto3"; package sky; import "google/protobuf/timestamp.proto";
      message Observed { string place_name = 1; google.protobuf.Timestamp at = 2; Sky sky = 3; map<string, int64> counts = 4; repeated Observed before = 5; }
      enum Sky { SKY_UNKNOWN = 0; SKY_CLEAR = 1; }`,
  },
]

/** What the TypeScript compiler says of a use of the generated client. */
async function complaints(use: string, catalog = entries): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'client-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'millrace.ts'), await generateClient(catalog))
  const file = join(directory, 'use.ts')
  await writeFile(
    file,
    `import { type EventTypes, openClient } from './millrace.ts'
    const client = openClient<EventTypes>({ url: 'https://x', token: () => 't', source: '/s' })\n${use}`,
  )
  const program = ts.createProgram([file], {
    ...{ strict: true, noEmit: true, allowImportingTsExtensions: true, skipLibCheck: true, types: [] },
    ...{
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
    },
  })
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

test('a client compiles, and its types are those of the events in all formats', async () => {
  expect(
    await complaints(`
      await client.publish('order.placed', { customer: 'ada', address: { street: 'x' }, price: { per: { amount: 1 } } })
      await client.publish('quake.recorded', { network: 'CI', count: 1, size: { int: 1 }, before: null, waves: [{ p: 1.5 }] })
      await client.publish('weather-observed', { placeName: 'x', at: '2026-01-01T00:00:00Z', sky: 'SKY_CLEAR', counts: { a: '1' } })
      const place: string | undefined = (await client.latest('weather-observed'))[0]?.event.data.placeName
      for await (const frame of client.subscribe('quake.recorded')) {
        const network: 'CI' | 'NC' | undefined = 'gap' in frame ? undefined : frame.event.data.network
        console.log(place, network)
      }
      export {}`),
  ).toEqual([])
})

test.each([
  ['a type that there is none of', `await client.publish('order.lost', {}); export {}`],
  ['a member that is missing', `await client.publish('order.placed', {}); export {}`],
  ['a member of another type', `await client.publish('order.placed', { customer: 1 }); export {}`],
  [
    'a member of another type in what a schema refers to',
    `await client.publish('order.placed', { customer: 'ada', price: { per: { amount: 'x' } } }); export {}`,
  ],
  [
    'a symbol that is none',
    `await client.publish('quake.recorded', { network: 'XX', count: 1, size: { int: 1 }, before: null, waves: [] }); export {}`,
  ],
  [
    'a bare value where a union needs the name of its branch',
    `await client.publish('quake.recorded', { network: 'CI', count: 1, size: 1, before: null, waves: [] }); export {}`,
  ],
])('%s is an error of the compiler', async (_what, use) => {
  expect((await complaints(use)).length).toBeGreaterThan(0)
})

test('a schema brings no code into the client, and no file or page is read because it says so', async () => {
  const [order] = entries
  if (!order) throw new Error('there is one')
  const schema = {
    type: 'object',
    properties: {
      hostile: { type: 'string', tsType: 'string } export const stolen = process.env; type X = {' },
      tsType: { type: 'string' },
    },
    required: ['tsType'],
  }
  const client = await generateClient([{ ...order, schema }])
  expect(client).not.toContain('stolen')
  expect(client).toContain('tsType: string')
  const elsewhere = { type: 'object', properties: { a: { $ref: 'file:///etc/hostname' } } }
  expect(await generateClient([{ ...order, schema: elsewhere }])).toContain('a?: unknown')
  await expect(generateClient([{ ...order, schema: 'none' }])).rejects.toThrow(`the schema of ${order.type}`)
})

test('types whose names differ in dots, dashes, underscores and case alone are told apart', async () => {
  const [order] = entries
  if (!order) throw new Error('there is one')
  const types = [
    'order.placed',
    'order-placed',
    'order_placed',
    'OrderPlaced',
    'ORDER.placed',
    'Order.v1beta',
    'order.v1Beta',
  ]
  const catalog = types.map((type) => ({ ...order, type }))
  const client = await generateClient(catalog)
  const members = [...client.matchAll(/ {2}readonly '(.+)': (\w+)\.(\w+)\n/g)]
  expect(members.map(([, type]) => type)).toEqual(types.toSorted())
  expect(new Set(members.map(([, , space]) => space)).size).toBe(types.length)
  expect(client.match(/export namespace /g)).toHaveLength(types.length)
  const uses = types.map((type) => `await client.publish('${type}', { customer: 'ada' })`)
  expect(await complaints(`${uses.join('\n')}\nexport {}`, catalog)).toEqual([])
})
