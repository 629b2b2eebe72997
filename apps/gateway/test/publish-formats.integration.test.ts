import { compileCodec } from '@millrace/schemas/compile-codec'
import { frame, unframe } from '@millrace/schemas/wire-format'
import { openReader } from '@millrace/kafka/reader'
import type { CatalogEntry } from '@millrace/core/catalog'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accepted, order, post, problemOf, type Receipt, receiptShape } from './api.ts'
import { makeType } from './free-type.ts'

const { connection, registryUrl } = stack()
const reader = openReader(connection('admin'))
afterAll(() => reader.close())

const schemas = {
  avro: {
    type: 'record',
    name: 'Reading',
    fields: [
      { name: 'station', type: 'string' },
      { name: 'celsius', type: 'double' },
    ],
  },
  protobuf: 'syntax = "proto3"; message Reading { string station = 1; double celsius = 2; }',
} as const
const data = { station: 'Zürich', celsius: -1.5 }
const contentTypes = { avro: 'application/avro', protobuf: 'application/protobuf' } as const

describe.each(['avro', 'protobuf'] as const)('an event in %s', (format) => {
  const type = `gateway-publish.${format}`
  let entry: CatalogEntry
  let bare: Buffer = Buffer.alloc(0)
  let framed: Buffer = Buffer.alloc(0)
  beforeAll(async () => {
    entry = await makeType(type, { format, schema: schemas[format], key: '/station' })
    const coded = compileCodec(entry).fromJson(data)
    if (!coded.ok) throw new Error('the data fits')
    bare = coded.value
    framed = frame(format, { schemaId: entry.schemaId, messageIndexes: [0], payload: bare })
  })

  const headers = () => ({ 'ce-specversion': '1.0', 'ce-source': '/formats', 'ce-type': type })
  const binary = async (body: Buffer, contentType: string = contentTypes[format]) =>
    post(body, { contentType, headers: headers() })

  async function expectStored({ topic, partition, offset, schemaId }: Receipt): Promise<void> {
    expect(schemaId).toBe(entry.schemaId)
    const span = { start: BigInt(offset), end: BigInt(offset) + 1n }
    const record = (await reader.readFirst(topic, new Map([[partition, span]]))).get(partition)
    expect(record?.value).toEqual(framed)
    expect(record?.key?.toString()).toBe('Zürich')
    expect(record?.headers.get('content-type')).toBe(contentTypes[format])
    expect(record?.headers.get('ce_dataschema')).toBe(`${registryUrl}/schemas/ids/${schemaId}`)
    expect(unframe(format, record?.value ?? Buffer.alloc(0))).toMatchObject({ schemaId, payload: bare })
  }

  test('is stored in the frame of the registry, whether it comes as JSON, bare or framed, in whatever mode', async () => {
    await expectStored(await accepted({ ...order({ type }), data }))
    for (const bytes of [bare, framed]) {
      const event = { ...order({ type }), data: undefined, data_base64: bytes.toString('base64') }
      await expectStored(await accepted(event))
      await expectStored(await accepted({ ...event, datacontenttype: contentTypes[format] }))
      const answer = await binary(bytes)
      expect(answer.status).toBe(201)
      await expectStored(receiptShape.parse(await answer.json()))
    }
    await expectStored(
      receiptShape.parse(await (await binary(Buffer.from(JSON.stringify(data)), 'application/json')).json()),
    )
  })

  test('is refused where it does not fit its schema, with a pointer', async () => {
    const { errors } = await problemOf(await post({ ...order({ type }), data: { station: 7, celsius: 1 } }), 422)
    expect(errors?.map(({ pointer }) => pointer)).toContain('/station')
    await problemOf(await binary(bare.subarray(0, -1)), 422)
  })

  test('is refused in a frame whose schema there is not', async () => {
    const unknown = frame(format, { schemaId: 2_000_000_000, messageIndexes: [0], payload: bare })
    expect((await problemOf(await binary(unknown), 422)).detail).toContain('2000000000')
  })

  test('is refused as what its type is not', async () => {
    const other = format === 'avro' ? contentTypes.protobuf : contentTypes.avro
    await problemOf(await binary(bare, other), 415)
    await problemOf(
      await post({ ...order({ type }), data: undefined, data_base64: bare.toString('base64'), datacontenttype: other }),
      415,
    )
  })
})
