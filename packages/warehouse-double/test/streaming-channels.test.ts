import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminToken, type Double, startDouble } from './double.ts'
import { streamingClient, type Write } from './streaming.ts'

let double: Double
let client: ReturnType<typeof streamingClient>
beforeAll(async () => {
  double = await startDouble()
  client = streamingClient(double)
  await double.rows('CREATE DATABASE LAKE')
  await double.rows('CREATE SCHEMA LAKE.RAW')
  const columns = 'META VARIANT, N NUMBER(38,0), X FLOAT, T TIMESTAMP_TZ, U TIMESTAMP_NTZ, L TIMESTAMP_LTZ'
  await double.rows(`CREATE TABLE LAKE.RAW.EVENTS (${columns})`)
})
afterAll(() => double.close())

const one = { rows: 'SELECT 1::DECIMAL(38,0) AS N', count: 1 }

/** Opens a channel of its own and gives a function that writes to it in order. */
async function channelOf(name: string) {
  const opened = await client.open(name)
  const write = (rowSequencer: number, more: Partial<Write> = {}) =>
    client.write(
      {
        channel: name,
        clientSequencer: opened.client_sequencer,
        rowSequencer,
        offsetToken: String(rowSequencer),
        ...one,
        ...more,
      },
      opened.encryption_key,
    )
  return { opened, write }
}

const rowCount = async () => Number((await double.rows('SELECT count(*) FROM LAKE.RAW.EVENTS'))[0]?.[0])

describe('a channel', () => {
  it('commits rows and their offset token together', async () => {
    const { write } = await channelOf('commits')
    const before = await rowCount()
    expect(await write(1, { offsetToken: '41' })).toBe(0)
    expect(await write(2, { offsetToken: '42' })).toBe(0)
    expect(await rowCount()).toBe(before + 2)
    expect((await client.open('commits')).offset_token).toBe('42')
  })

  it('is fenced from the moment that somebody else opens it', async () => {
    const first = await channelOf('fenced')
    const second = await channelOf('fenced')
    const before = await rowCount()
    expect(second.opened.client_sequencer).toBe(first.opened.client_sequencer + 1)
    expect(await first.write(1)).toBe(20)
    expect(await second.write(1)).toBe(0)
    expect(await rowCount()).toBe(before + 1)
    expect(await client.status('fenced', first.opened.client_sequencer)).toMatchObject({
      channels: [{ status_code: 20 }],
    })
    expect(await client.drop('fenced', first.opened.client_sequencer)).toMatchObject({ status_code: 20 })
  })

  it('takes each write once and in order', async () => {
    const { write } = await channelOf('ordered')
    const before = await rowCount()
    expect(await write(1)).toBe(0)
    expect(await write(1)).toBe(21)
    expect(await write(3)).toBe(21)
    expect(await rowCount()).toBe(before + 1)
  })

  it('has the rows of a write whose answer was lost, and refuses it the second time', async () => {
    const { write } = await channelOf('lost')
    const before = await rowCount()
    const fault = { match: '/write/blobs/', mode: 'lost-answer' }
    expect((await double.call('POST', '/_admin/faults', fault, adminToken)).status).toBe(201)
    await expect(write(1)).rejects.toThrow()
    expect(await rowCount()).toBe(before + 1)
    expect(await write(1)).toBe(21)
    expect((await client.open('lost')).offset_token).toBe('1')
    expect(await rowCount()).toBe(before + 1)
  })

  it.each([
    ['was changed on its way', { chunk_md5: '0'.repeat(32) }, 28],
    ['is shorter than it says', { chunk_length: 1_000_000 }, 30],
    ['has another number of rows than it says', { eps: { rows: 7 } }, 31],
    ['is for no table', { table: 'NOTHING' }, 4],
  ])('refuses a chunk that %s, and stays where it was', async (what, changed, status) => {
    const { opened, write } = await channelOf(what)
    const before = await rowCount()
    expect(await write(1, { changed })).toBe(status)
    expect(await rowCount()).toBe(before)
    expect(await client.status(what, opened.client_sequencer)).toMatchObject({
      channels: [{ status_code: 0, persisted_row_sequencer: 0, persisted_offset_token: null }],
    })
    expect(await write(1)).toBe(0)
  })

  it('refuses a blob outside of the stage', async () => {
    const { opened } = await channelOf('outside')
    const chunk = {
      database: 'LAKE',
      schema: 'RAW',
      table: 'EVENTS',
      chunk_start_offset: 0,
      chunk_length: 16,
      chunk_md5: '',
      eps: { rows: 1 },
      channels: [{ channel_name: 'outside', client_sequencer: opened.client_sequencer, row_sequencer: 1 }],
    }
    const answer = await double.call('POST', '/v1/streaming/channels/write/blobs/', {
      blobs: [{ path: '../../../../etc/hostname', chunks: [chunk] }],
    })
    expect(await answer.json()).toMatchObject({ blobs: [{ chunks: [{ channels: [{ status_code: 34 }] }] }] })
  })

  it('cannot be opened on a table that is not there', async () => {
    const request = { database: 'LAKE', schema: 'RAW', table: 'NOTHING', channel: 'c' }
    const answer = await double.call('POST', '/v1/streaming/channels/open/', request)
    expect(await answer.json()).toMatchObject({ status_code: 4 })
  })

  it('keeps rows, tokens and the encryption key over a restart', async () => {
    const { opened, write } = await channelOf('durable')
    await write(1, { offsetToken: '7' })
    const before = await rowCount()
    await double.restart()
    expect(await rowCount()).toBe(before)
    expect(await write(2, { offsetToken: '8' })).toBe(0)
    expect(await client.open('durable')).toMatchObject({ offset_token: '8', encryption_key: opened.encryption_key })
  })
})

describe('a value', () => {
  it('arrives as it was written', async () => {
    const { write } = await channelOf('values')
    // The SDK's forms: decimals of seconds; for TIMESTAMP_TZ the instant × 2^14 + minutes east of UTC + 1440, in nanoseconds.
    const asDecimal = (units: bigint) => {
      const sign = units < 0n ? '-' : ''
      const digits = (units < 0n ? -units : units).toString().padStart(10, '0')
      return `'${sign}${digits.slice(0, -9)}.${digits.slice(-9)}'::DECIMAL(38,9)`
    }
    const zoned = (instantNs: bigint, offset: bigint) => asDecimal(instantNs * 16_384n + offset + 1_440n)
    const rows = [
      `SELECT 1000::DECIMAL(38,0) AS N, 0.1::DOUBLE AS X, '{"topic":"t","offset":5}' AS META,
         ${zoned(978_310_800_500_000_000n, 120n)} AS T, ${asDecimal(-876_544_000n)} AS U, ${asDecimal(1_000n)} AS L`,
      `SELECT 1001, 5e-324, NULL, ${zoned(-876_544_000n, -300n)}, NULL, NULL`,
      `SELECT 99999999999999999999999999999999999999, 1e300, NULL, NULL, NULL, NULL`,
      `SELECT 1002, NULL, NULL, NULL, NULL, NULL`,
    ].join(' UNION ALL ')
    expect(await write(1, { rows, count: 4 })).toBe(0)
    expect(
      await double.rows(
        'SELECT N, X, META:offset::NUMBER, META:topic, T, U, L FROM LAKE.RAW.EVENTS WHERE N >= 1000 ORDER BY N',
      ),
    ).toEqual([
      ['1000', '0.1', '5', '"t"', '978310800.500000000 1440', '-0.876544000', '0.000001000 1440'],
      ['1001', '5e-324', null, null, '-0.876544000 1440', null, null],
      ['1002', null, null, null, null, null, null],
      ['99999999999999999999999999999999999999', '1e+300', null, null, null, null, null],
    ])
  })
})
