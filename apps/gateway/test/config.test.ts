import { parseConfig } from '@millrace/service/config'
import { expect, test } from 'vitest'
import { gatewayConfig } from '../src/config.ts'

const settings = {
  port: 8_080,
  kafka: { bootstrapServers: ['127.0.0.1:9092'], caFile: 'ca.pem', username: 'gateway', password: 'p' },
  registry: { url: 'https://127.0.0.1:8443', caFile: 'ca.pem', username: 'gateway', password: 'p' },
  tokens: { issuer: 'urn:issuer', audience: 'urn:gateway', jwksFile: 'issuer.jwks' },
}
const parse = (changes: object) => parseConfig(gatewayConfig, { ...settings, ...changes }, 'gateway.json')

test('the gateway listens on loopback unless told otherwise, within its bounds', () => {
  expect(parse({})).toMatchObject({
    host: '127.0.0.1',
    eventBytesMax: 1_048_576,
    batchEventsMax: 1_000,
    kafka: { clientId: 'millrace-gateway' },
  })
})

test.each(['0.0.0.0', '::', 'localhost', '10.0.0.1'])('it does not listen on %s, and says why', (host) => {
  expect(() => parse({ host })).toThrow(/host: the gateway speaks plain HTTP, so it listens on 127\.0\.0\.1 alone/)
})

test('an unknown setting is refused by name', () => {
  expect(() => parse({ batchEventMax: 5 })).toThrow(/batchEventMax: there is no such setting/)
  const kafka = { ...settings.kafka, tls: false }
  expect(() => parse({ kafka })).toThrow(/kafka\.tls: there is no such setting/)
})

test.each([
  [{ port: 70_000 }, /port: /],
  [{ kafka: { ...settings.kafka, bootstrapServers: [] } }, /kafka\.bootstrapServers: /],
  [{ tokens: undefined }, /tokens: /],
  [{ registry: { ...settings.registry, url: 'nowhere' } }, /registry\.url: /],
  [{ eventBytesMax: 0 }, /eventBytesMax: /],
])('what is wrong is named: %j', (changes, sentence) => {
  expect(() => parse(changes)).toThrow(sentence)
})
