/** CloudEvents' own SDK for JavaScript as client: what it writes the gateway takes, what the gateway shows the SDK reads. */
import { randomUUID } from 'node:crypto'
import { CloudEvent, HTTP } from 'cloudevents'
import { beforeAll, expect, test } from 'vitest'
import { call, formats, itemsOf, register, type Registered } from './contract.ts'

const types = new Map<string, Registered>()
beforeAll(async () => {
  for (const format of formats) types.set(format, await register(format))
})

type Message = { readonly headers: unknown; readonly body: unknown }

async function post({ headers, body }: Message) {
  const plain = Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]),
  )
  const { 'content-type': contentType = '', ...rest } = plain
  return call('POST', '/v1/events', {
    contentType,
    headers: rest,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

function eventOf(format: string): CloudEvent<object> {
  return new CloudEvent({
    id: randomUUID(),
    source: '/sdk?of=javascript',
    type: types.get(format)?.type ?? '',
    time: '2026-01-02T03:04:05.678Z',
    subject: 'a subject',
    traceroute: 'extension',
    data: { name: 'sdk', count: 7 },
  })
}

async function readBack(event: CloudEvent<object>): Promise<unknown> {
  const latest = await call('GET', `/v1/events/latest?type=${event.type}&limit=1000`)
  const shown = itemsOf(latest).find(({ event: { id } }) => id === event.id)?.event
  return HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json' }, body: JSON.stringify(shown) })
}

test.each(formats)('structured and binary messages of the SDK, in %s', async (format) => {
  for (const write of [HTTP.structured<object>, HTTP.binary<object>]) {
    const event = eventOf(format)
    expect(await post(write(event))).toMatchObject({ status: 201, body: { id: event.id } })
    const { id, source, type, time, subject, data } = event
    expect(await readBack(event)).toMatchObject({ id, source, type, time, subject, data, traceroute: 'extension' })
  }
})

test('a batch of the SDK, in all formats at once', async () => {
  const events = formats.map(eventOf)
  const body = JSON.stringify(events)
  const headers = { 'content-type': 'application/cloudevents-batch+json' }
  expect(await post({ headers, body })).toMatchObject({ status: 200, body: { accepted: 3 } })
  const latest = await call('GET', `/v1/events/latest?type=${events[0]?.type ?? ''}&limit=1000`)
  const batch = JSON.stringify(itemsOf(latest).map((item) => item.event))
  expect(HTTP.toEvent({ headers, body: batch })).toEqual(
    expect.arrayContaining([expect.objectContaining({ id: events[0]?.id })]),
  )
})
