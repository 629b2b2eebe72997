import { parseConfig } from '@millrace/service/config'
import { describe, expect, test } from 'vitest'
import { gatewayConfig } from '../src/config.ts'

const settings = {
  port: 8_080,
  kafka: { bootstrapServers: ['127.0.0.1:9092'], caFile: 'ca.pem', username: 'gateway', password: 'p' },
  registry: { url: 'https://127.0.0.1:8443', caFile: 'ca.pem', username: 'gateway', password: 'p' },
  sealingKeysFile: 'sealing-keys.json',
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

describe('beyond loopback the gateway', () => {
  const hosts = ['0.0.0.0', '::', 'localhost', '10.0.0.1', 'gateway.example', '127.0.0.2', '127.0.0.1.example']
  const tls = { certFile: 'gateway.pem', keyFile: 'gateway.key' }

  test.each(hosts)('does not listen in plain HTTP, and says what to do: %s', (host) => {
    expect(() => parse({ host })).toThrow(
      /host: without TLS .*give tls\.certFile and tls\.keyFile, or say behindProxy: true/,
    )
    expect(() => parse({ host, behindProxy: false })).toThrow(/host: without TLS/)
  })

  test.each(hosts)('listens with a certificate, or behind a proxy that ends TLS: %s', (host) => {
    expect(parse({ host, tls })).toMatchObject({ host, tls })
    expect(parse({ host, behindProxy: true })).toMatchObject({ host, behindProxy: true })
  })

  test('needs both the certificate and its key', () => {
    expect(() => parse({ tls: { certFile: 'gateway.pem' } })).toThrow(/tls\.keyFile: /)
  })
})

describe('the keys of the issuer', () => {
  const tokens = (keys: object) => parse({ tokens: { issuer: 'urn:issuer', audience: 'urn:gateway', ...keys } })

  test.each(['https://issuer.example/jwks.json', 'http://127.0.0.1:8080/jwks.json', 'http://[::1]:8080/jwks.json'])(
    'come from %s',
    (jwksUrl) => {
      expect(tokens({ jwksUrl }).tokens).toMatchObject({ jwksUrl })
    },
  )

  test.each([
    'http://issuer.example/jwks.json',
    'http://localhost/jwks.json',
    'http://127.0.0.1.example/',
    'http://127.0.0.1@evil.example/',
  ])('do not come from %s', (jwksUrl) => {
    expect(() => tokens({ jwksUrl })).toThrow(/tokens\.jwksUrl: .*use https/)
  })

  test.each(['file:///etc/issuer.jwks', 'ftp://issuer.example/', 'nowhere', 'javascript:alert(1)'])(
    'come from no such URL: %s',
    (jwksUrl) => {
      expect(() => tokens({ jwksUrl })).toThrow(/tokens\.jwksUrl: /)
    },
  )

  test('come from one place', () => {
    expect(() => tokens({})).toThrow(/tokens: .*exactly one of jwksFile and jwksUrl/)
    expect(() => tokens({ jwksFile: 'a', jwksUrl: 'https://issuer.example/' })).toThrow(/exactly one/)
  })
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
  [{ rateLimit: { requestsPerSecond: 0, burst: 1 } }, /rateLimit\.requestsPerSecond: /],
  [{ connectionsMax: 0 }, /connectionsMax: /],
  [{ bodiesBytesMax: 1_000_000 }, /bodiesBytesMax: .*make it at least as large/],
  [{ eventBytesMax: 0 }, /eventBytesMax: /],
])('what is wrong is named: %j', (changes, sentence) => {
  expect(() => parse(changes)).toThrow(sentence)
})
