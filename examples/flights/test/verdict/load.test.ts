import { hash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deadLetterHeaders } from '@millrace/core/dead-letter'
import fc from 'fast-check'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openLedger } from '@millrace/ledger/ledger'
import { type Database, openDatabase } from '@millrace/ledger/database'
import {
  loadAirports,
  loadDeadLetters,
  loadFeedTopic,
  loadLate,
  loadLedger,
  loadResults,
  loadTopic,
} from '../../src/verdict/load.ts'
import { createTables } from '../../src/verdict/tables.ts'
import { type LogRecord, printed } from '../printed.ts'
import { at, temporaryDirectory } from '../world.ts'

let database: Database
beforeEach(async () => {
  database = await openDatabase()
  onTestFinished(() => database.close())
  await createTables(database)
})

const flight = {
  flight: 7,
  date: '2001-01-01T00:05:00Z',
  origin: 'SFO',
  destination: 'LAX',
  distance: 337.5,
  delay: -4,
}

function fileOf(lines: string): string {
  const file = join(temporaryDirectory(), 'topic')
  writeFileSync(file, lines)
  return file
}

async function topicOf(...records: readonly LogRecord[]) {
  await loadTopic(database, fileOf(records.map((record, offset) => printed({ offset, ...record })).join('')))
  return database.rows('SELECT * FROM topic ORDER BY partition, "offset"')
}

async function wellFormed(...values: readonly string[]): Promise<unknown[]> {
  return (await topicOf(...values.map((value) => ({ value })))).map((row) => row['well_formed'])
}

const withField = (name: string, json: string): string =>
  JSON.stringify({ ...flight, [name]: '?' }).replace('"?"', () => json)

test('the topic of a feed is read with the bytes of its values, frames and all', async () => {
  const value = Buffer.from([0, 0, 0, 1, 2, 0, 0x0a, 0xff, 0x5c])
  const headers = { ce_id: 'q1', ce_source: '/quakes/usgs' }
  await loadFeedTopic(database, 'quake.recorded', fileOf(printed({ offset: 4, headers, key: 'ci', value })))
  const place = { topic: 'quake.recorded', partition: 0, offset: '4' }
  expect(await database.rows('SELECT * FROM feed_topic')).toEqual([
    { ...place, source: '/quakes/usgs', id: 'q1', key: 'ci', sha256: hash('sha256', value) },
  ])
})

test('an airport may have no state', async () => {
  const described = { iata: 'MQT', name: 'Marquette County Airport', country: 'USA', latitude: 46.4, longitude: -87.4 }
  const values = [described, { ...described, state: 'MI' }].map((data) => JSON.stringify(data))
  await loadAirports(database, fileOf(values.map((value, offset) => printed({ offset, key: 'MQT', value })).join('')))
  expect(await database.rows('SELECT * FROM airports ORDER BY "offset"')).toEqual([
    { partition: 0, offset: '0', iata: 'MQT', state: null },
    { partition: 0, offset: '1', iata: 'MQT', state: 'MI' },
  ])
})

describe('the event topic', () => {
  test('is read from what the console consumer prints', async () => {
    const headers = { ce_specversion: '1.0', ce_id: '7', ce_source: '/flights/2001', ce_type: 'flight.departed' }
    const value = JSON.stringify(flight)
    expect(await topicOf({ partition: 3, offset: 12_345_678_901, headers, key: 'SFO', value })).toEqual([
      {
        partition: 3,
        offset: '12345678901',
        source: '/flights/2001',
        id: '7',
        key: 'SFO',
        sha256: hash('sha256', value),
        event_ms: String(Date.parse(flight.date)),
        origin: 'SFO',
        destination: 'LAX',
        distance: 337.5,
        delay: -4,
        well_formed: true,
      },
    ])
  })

  test('is read from lines of Kafka 4.3.1', async () => {
    // As its DefaultMessageFormatter printed them: a value with ü, a backslash and n; nulls; empty bytes.
    const lines = [
      String.raw`CreateTime:1764000000000|Partition:2|Offset:7|ce_id:1\,ce_source:/x,y\x5C,z|SFO|{"a":"\xC3\xBC\x5Cn"}`,
      String.raw`CreateTime:1764000000001|Partition:2|Offset:8|NO_HEADERS|\x5CN|\x5CN`,
      String.raw`CreateTime:1764000000002|Partition:2|Offset:9|x:\,y:\x00\xFF\x09\x0A||`,
    ]
    await loadTopic(database, fileOf(lines.map((line) => `${line.replaceAll('|', '\t')}\n`).join('')))
    const empty = { source: null, id: null, well_formed: false }
    expect(await database.rows('SELECT * FROM topic ORDER BY "offset"')).toMatchObject([
      { id: '1', source: String.raw`/x,y\x5C,z`, key: 'SFO', sha256: hash('sha256', String.raw`{"a":"ü\n"}`) },
      { ...empty, key: null, sha256: null },
      { ...empty, key: '', sha256: hash('sha256', '') },
    ])
  })

  test('keeps the bytes of every value', async () => {
    const value = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.json(), fc.string({ unit: 'binary' }))
    const record = fc.record({ value, key: fc.option(fc.constantFrom('SFO', '', '"', "'", 'ü', '\t')) })
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 200 }), async (records) => {
        await database.run('DELETE FROM topic')
        const rows = await topicOf(...records)
        expect(rows.map((row) => row['sha256'])).toEqual(records.map((sent) => hash('sha256', Buffer.from(sent.value))))
        expect(rows.map((row) => row['key'] === null)).toEqual(records.map((sent) => sent.key === null))
      }),
      { numRuns: 20 },
    )
  })

  test('keeps a value of a megabyte, none of which is printable', async () => {
    const value = new Uint8Array(1_048_576).fill(0xc3)
    expect(await topicOf({ value })).toMatchObject([{ sha256: hash('sha256', value), well_formed: false }])
  })

  test('may be empty', async () => {
    expect(await topicOf()).toEqual([])
  })

  test('has values beyond ASCII in strings', async () => {
    const value = JSON.stringify({ ...flight, origin: 'Zürich "\\" \t NaN, }' })
    expect(await topicOf({ value })).toMatchObject([{ origin: 'Zürich "\\" \t NaN, }', well_formed: true }])
  })

  test('has malformed values, kept and marked', async () => {
    const notUtf8 = Buffer.concat([Buffer.from('{"origin":"'), Buffer.from([0xff]), Buffer.from('"}')])
    const rows = await topicOf({ value: '{"flight":' }, { value: notUtf8 }, { value: '' }, { value: null })
    const fields = { event_ms: null, origin: null, distance: null, delay: null, well_formed: false }
    expect(rows).toMatchObject([fields, fields, fields, fields])
    expect(at(rows, 1)['sha256']).toBe(hash('sha256', notUtf8))
  })

  test('has no identity where the headers have none', async () => {
    expect(await topicOf({ value: '', headers: { ce_idea: 'x', not_ce_id: 'y' } })).toMatchObject([
      { source: null, id: null },
    ])
  })
})

describe('a value is well-formed', () => {
  const lower = withField('date', '"2001-01-01t02:05:00.0009+02:00"')
  test.each([
    ['as it was sent', JSON.stringify(flight)],
    ['with white space, and fields that the pipeline does not read', ` ${withField('note', '[1]')}\n`],
    ['with an integer written as a number with a fraction', withField('flight', '7.0')],
    ['with an integer written with an exponent', withField('flight', '7e0')],
    ['with the greatest integer', withField('flight', '9223372036854775807')],
    ['with a number beyond the integers', withField('distance', '123456789012345678901234567890')],
    ['with a time in small letters, of another zone and finer than milliseconds', lower],
  ])('%s', async (_, value) => {
    expect(await topicOf({ value })).toMatchObject([{ well_formed: true, event_ms: String(Date.parse(flight.date)) }])
  })
})

describe('a value is malformed', () => {
  test.each([
    ['that is not an object', '[]'],
    ['that is two objects', '{}{}'],
    ['with a comma at its end', JSON.stringify(flight).replace(/}$/, ',}')],
    ['with a comma at the end of a list', withField('note', '[1, ]')],
    ['with NaN', withField('distance', 'NaN')],
    ['with Infinity', withField('note', '-Infinity')],
    ['with a number that no double holds', withField('distance', '1e400')],
    ['with a number in a string', withField('distance', '"337"')],
    ['with null for a number', withField('delay', 'null')],
    ['with a fraction for an integer', withField('flight', '7.5')],
    ['with an integer of more than 64 bits', withField('flight', '9223372036854775808')],
    ['with a string for an integer', withField('flight', '"7"')],
    ['with a number for an airport', withField('origin', '7')],
    ['without an airport', JSON.stringify({ ...flight, destination: undefined })],
    ['with a number for a time', withField('date', '978307500000')],
  ])('%s', async (_, value) => {
    expect(await wellFormed(value)).toEqual([false])
  })
})

describe('a time', () => {
  async function msOf(...times: readonly string[]): Promise<unknown[]> {
    const rows = await topicOf(...times.map((date) => ({ value: JSON.stringify({ ...flight, date }) })))
    return rows.map((row) => row['event_ms'])
  }

  test('is the moment that RFC 3339 means', async () => {
    const times = [
      '2001-01-01T00:05:00Z',
      '2001-01-01T00:05:00+05:30',
      '2001-01-01T00:05:00-08:00',
      '2001-01-01T00:05:00.5Z',
      '2001-01-01T00:05:00.123Z',
      '1969-12-31T23:59:59.999Z',
      '0000-02-29T00:00:00Z',
      '9999-12-31T23:59:59Z',
    ]
    expect(await msOf(...times)).toEqual(times.map((time) => String(Date.parse(time))))
  })

  test('loses what is finer than a millisecond', async () => {
    expect(await msOf('2001-01-01T00:05:00.1239Z', '1969-12-31T23:59:59.9999999Z')).toEqual(['978307500123', '-1'])
  })

  test('may be a leap second, at the end of a day in UTC', async () => {
    const newYear = String(Date.parse('2017-01-01T00:00:00Z'))
    expect(await msOf('2016-12-31T23:59:60Z', '2017-01-01T00:59:60+01:00', '2016-12-31T12:00:60Z')).toEqual([
      newYear,
      newYear,
      null,
    ])
  })

  test('is nothing else', async () => {
    const times = [
      '2001-01-01',
      '2001-01-01T00:05:00',
      '2001-01-01 00:05:00Z',
      '2001-01-01T00:05Z',
      '2001-02-29T00:05:00Z',
      '2001-01-01T24:00:00Z',
      '2001-01-01T00:60:00Z',
      '2001-01-01T00:05:61Z',
      '2001-01-01T00:05:00.Z',
      '2001-01-01T00:05:00+0100',
      '2001-01-01T00:05:00+24:00',
      ' 2001-01-01T00:05:00Z',
      'yesterday',
    ]
    expect(await msOf(...times)).toEqual(times.map(() => null))
  })
})

describe('results, late events and dead letters', () => {
  const origin = {
    [deadLetterHeaders.topic]: 'flight.departed',
    [deadLetterHeaders.partition]: '2',
    [deadLetterHeaders.offset]: '12345678901',
  }
  const identity = { ce_id: '7', ce_source: '/flights/2001' }
  const value = JSON.stringify(flight)

  const bounds = { windowStart: '2001-01-01T00:00:00.000Z', windowEnd: '2001-01-01T01:00:00Z' }
  const [startMs, endMs] = [bounds.windowStart, bounds.windowEnd].map((time) => String(Date.parse(time)))

  test('a result has its window and its values, the mean only where there is one', async () => {
    const result = { origin: 'SFO', ...bounds, flights: 3, distance: 1_012.5 }
    const headers = { ce_revision: '2', ce_counted: '3', ce_late: '1' }
    const records = [{ ...result, meanDelay: -1.5 }, result].map((data, offset) =>
      printed({ partition: 1, offset: 2 * offset, headers, value: JSON.stringify(data) }),
    )
    await loadResults(database, { pipeline: 'departures-per-airport', group: 'origin' }, fileOf(records.join('')))
    const row = {
      ...{ pipeline: 'departures-per-airport', partition: 1, group_value: 'SFO', flights: '3', distance: 1_012.5 },
      ...{ window_start_ms: startMs, window_end_ms: endMs, revision: '2', counted: '3', late: '1' },
      ...{ worst_delay: null, origins: null, longest: null },
    }
    expect(await database.rows('SELECT * FROM results ORDER BY "offset"')).toEqual([
      { ...row, offset: '0', mean_delay: -1.5 },
      { ...row, offset: '2', mean_delay: null },
    ])
  })

  test('a result has what its pipeline computes, by what it groups', async () => {
    const values = { flights: 3, origins: 2, longest: 337.5, worstDelay: 61 }
    const records = [{ destination: 'LAX', ...bounds, ...values }, bounds].map((data, offset) =>
      printed({ offset, value: JSON.stringify(data) }),
    )
    await loadResults(database, { pipeline: 'p', group: 'destination' }, fileOf(records.join('')))
    expect(await database.rows('SELECT * FROM results ORDER BY "offset"')).toMatchObject([
      {
        pipeline: 'p',
        group_value: 'LAX',
        flights: '3',
        origins: '2',
        longest: 337.5,
        worst_delay: 61,
        revision: null,
      },
      { pipeline: 'p', group_value: null, flights: null },
    ])
  })

  test('a late event has its origin, its identity and its bytes, and how many windows it missed where that is said', async () => {
    const headers = { ...identity, ...origin }
    const lines = [
      printed({ offset: 4, headers, key: 'SFO', value }),
      printed({ offset: 5, headers: { ...headers, millrace_missed_windows: '2' }, value }),
    ]
    await loadLate(database, 'departures-per-airport', fileOf(lines.join('')))
    const row = {
      ...{ pipeline: 'departures-per-airport', partition: 0, origin_partition: 2, origin_offset: '12345678901' },
      ...{ source: '/flights/2001', id: '7', sha256: hash('sha256', value) },
    }
    expect(await database.rows('SELECT * FROM late ORDER BY "offset"')).toEqual([
      { ...row, offset: '4', missed: null },
      { ...row, offset: '5', missed: '2' },
    ])
  })

  test('a dead letter has its reason too, and may lack the rest', async () => {
    const why = { [deadLetterHeaders.by]: 'flink/departures-per-airport', [deadLetterHeaders.reason]: 'malformed' }
    const dead = { headers: { ...identity, ...why, ...origin }, value: '{' }
    const lines = [printed(dead), printed({ offset: 1, value: null })]
    await loadDeadLetters(database, 'flight.departed.dlq', fileOf(lines.join('')))
    expect(await database.rows('SELECT * FROM dead_letters ORDER BY "offset"')).toMatchObject([
      {
        ...{ topic: 'flight.departed.dlq', dead_by: 'flink/departures-per-airport', reason: 'malformed' },
        ...{ origin_topic: 'flight.departed', origin_partition: 2, origin_offset: '12345678901' },
        ...{ source: '/flights/2001', id: '7', sha256: hash('sha256', '{') },
      },
      { topic: 'flight.departed.dlq', offset: '1', dead_by: null, origin_partition: null, id: null, sha256: null },
    ])
  })
})

test('the ledger is read back as it was written, without what was only sent', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.nat(5), async (detail, partition) => {
      await database.run('DELETE FROM ledger')
      const file = join(temporaryDirectory(), 'ledger')
      const ledger = openLedger(file)
      ledger.sending('r', partition, ['1', '2', '3'])
      ledger.settled('r', [
        { status: 'accepted', id: '1', partition, offset: 4, sha256: 'ab' },
        { status: 'duplicate', id: '2', partition, offset: 3, sha256: 'cd' },
        { status: 'unconfirmed', id: '3', detail },
      ])
      ledger.close()
      await loadLedger(database, file)
      expect(await database.rows('SELECT * EXCLUDE at_ms FROM ledger ORDER BY id')).toEqual([
        { status: 'accepted', request: 'r', id: '1', partition, offset: '4', sha256: 'ab', detail: null },
        { status: 'duplicate', request: 'r', id: '2', partition, offset: '3', sha256: 'cd', detail: null },
        {
          ...{ status: 'unconfirmed', request: 'r', id: '3', partition: null, offset: null, sha256: null },
          detail: detail === '' ? null : detail.replaceAll(/[\t\r\n]+/g, ' '),
        },
      ])
    }),
    { numRuns: 50 },
  )
})
