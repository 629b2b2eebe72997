import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import departures from './departures.ts'
import { millrace } from './millrace.ts'

const flight = (at: string, origin: string, delay: number) => ({
  flight: 1,
  date: `2001-01-01T${at}:00Z`,
  origin,
  destination: 'JFK',
  distance: 100,
  delay,
})
const lines = (...objects: readonly object[]) => objects.map((object) => `${JSON.stringify(object)}\n`).join('')

let folder = ''
const file = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-cli-'))
  const data = [
    flight('10:00', 'SFO', 2),
    flight('10:20', 'XXX', 4),
    flight('12:30', 'SFO', 0),
    flight('10:59', 'SFO', 9),
  ]
  await writeFile(file('flights.ndjson'), lines(...data))
  const events = data.map((one) => ({ specversion: '1.0', id: '1', source: '/t', type: 'flight.departed', data: one }))
  await writeFile(file('events.ndjson'), lines(...events))
  await writeFile(file('airports.ndjson'), lines({ iata: 'SFO', name: 'San Francisco', state: 'CA' }))
  const window = { windowStart: '2001-01-01T10:00:00Z', windowEnd: '2001-01-01T11:00:00Z' }
  const last = { windowStart: '2001-01-01T12:00:00Z', windowEnd: '2001-01-01T13:00:00Z' }
  const numbers = (longestDelay: number) => ({ flights: 1, distance: 100, longestDelay })
  const expected = [
    { state: 'CA', ...last, ...numbers(0) },
    { ...window, ...numbers(4) },
    { state: 'CA', ...window, ...numbers(2) },
  ]
  await writeFile(file('expected.ndjson'), lines(...expected))
  await writeFile(file('others.ndjson'), lines(...expected.slice(1), { ...expected[0], flights: 7 }))
  await writeFile(file('broken.ndjson'), `${lines({})}{\n`)
})

afterAll(() => rm(folder, { recursive: true }))

const definition = fileURLToPath(new URL('departures.ts', import.meta.url))
const run = (events: string, ...words: readonly string[]) =>
  millrace('pipelines', 'test', departures.pipelines[0]?.name ?? '', file(events), '--platform', definition, ...words)
const table = () => ['--table', `airport.listed=${file('airports.ndjson')}`]

test('a pipeline of the definition is run over the data of events, or over CloudEvents, and its results are compared', async () => {
  for (const events of ['flights.ndjson', 'events.ndjson']) {
    const { code, stdout, stderr } = await run(events, ...table(), '--expect', file('expected.ndjson'))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('3 results; 1 late, 0 filtered, 0 malformed')
  }
})

test('what differs from what is expected is shown, and fails', async () => {
  const { code, stdout } = await run('flights.ndjson', ...table(), '--expect', file('others.ndjson'))
  expect(code).toBe(1)
  expect(stdout).toMatch(/^- .*"flights":7/m)
  expect(stdout).toMatch(/^\+ .*"state":"CA".*"flights":1/m)
  const { stdout: json } = await run('flights.ndjson', ...table(), '--expect', file('others.ndjson'), '--json')
  expect(JSON.parse(json)).toMatchObject({
    ok: false,
    late: 1,
    missing: [{ flights: 7 }],
    unexpected: [{ flights: 1 }],
  })
})

test.each([
  [
    'an unknown pipeline',
    () => millrace('pipelines', 'test', 'none', file('flights.ndjson'), '--platform', definition),
    /has no pipeline "none": it has departures-per-state/,
  ],
  ['a file that is not there', () => run('nothing.ndjson'), /nothing.ndjson cannot be read/],
  ['a line that is no JSON', () => run('broken.ndjson'), /broken.ndjson:2 is no JSON object/],
  [
    'a table that it does not join',
    () => run('flights.ndjson', '--table', `airports=${file('airports.ndjson')}`),
    /does not join "airports"/,
  ],
  [
    'a table without a file',
    () => run('flights.ndjson', '--table', 'airport.listed'),
    /write it as in customer.changed=file/,
  ],
])('%s is told in one sentence', async (_what, command, sentence) => {
  const { code, stderr, stdout } = await command()
  expect(code).toBe(2)
  expect(stderr).toMatch(sentence)
  expect(stderr).not.toContain('    at ')
  expect(stdout).toBe('')
})
