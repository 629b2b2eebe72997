import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { flinkConfigurationFile, flinkJaas, flinkJvmArguments, miniClusterConfiguration } from '../src/server-config.ts'
import { settingsIn } from './settings.ts'

const options = {
  restPort: 8081,
  sqlGatewayPort: 8083,
  metricsPort: 9249,
  checkpointDirectory: '/millrace/check points: # "1" \\',
  temporaryDirectory: '/millrace/tmp',
}
const regenerate = 'if the change is meant: node_modules/.bin/vitest run --project unit packages/flink --update'
const text = miniClusterConfiguration(options)
const settings = settingsIn(text)

describe('the configuration of a MiniCluster', () => {
  // Flink itself reads this file, and Java the next one, in packages/jvm/millrace-flink/src/test.
  test('is the one that is kept', async () => {
    const file = join(import.meta.dirname, 'golden/config.yaml')
    await expect(text, regenerate).toMatchFileSnapshot(file)
  })

  test('has one line for each setting, and none twice', () => {
    expect(settings.size).toBe(text.trimEnd().split('\n').length)
  })

  test('binds everything to loopback', () => {
    const addresses = [...settings].filter(([key]) => /(address|host)$/.test(key))
    expect(addresses.map(([key]) => key).sort()).toEqual([
      'jobmanager.bind-host',
      'rest.address',
      'rest.bind-address',
      'sql-gateway.endpoint.rest.address',
      'sql-gateway.endpoint.rest.bind-address',
      'taskmanager.bind-host',
    ])
    expect(new Set(addresses.map(([, address]) => address))).toEqual(new Set(['127.0.0.1']))
    expect(settings.get('metrics.reporter.prometheus.factory.class')).toMatch(/\.LoopbackPrometheusReporterFactory$/)
  })

  test('opens the ports that it is told and no others', () => {
    const ports = [...settings].filter(([key]) => key.endsWith('port')).map(([, port]) => port)
    expect(ports.sort()).toEqual([8081, 8081, 8083, 8083, 9249])
  })

  test('lets nobody upload code', () => {
    expect(settings.get('web.submit.enable')).toBe(false)
  })

  test('tells pipelines of like names apart in the metrics', () => {
    expect(settings.get('metrics.reporter.prometheus.filterLabelValueCharacters')).toBe(false)
  })

  test('stands where the server looks for it', () => {
    expect(flinkConfigurationFile('/millrace/flink')).toBe('/millrace/flink/config.yaml')
  })
})

describe('the JAAS file', () => {
  test('is the one that is kept', async () => {
    const file = join(import.meta.dirname, 'golden/flink.jaas')
    await expect(flinkJaas('flink', String.raw`pass "word\ 'é';`), regenerate).toMatchFileSnapshot(file)
  })

  test('quotes its user and password so that they are read as they are', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (user, password) => {
        const [, quotedUser, quotedPassword] =
          /^KafkaClient \{\n {2}\S+ required\n {2}username=("[\s\S]*")\n {2}password=("[\s\S]*");\n\};\n$/.exec(
            flinkJaas(user, password),
          ) ?? []
        expect(unquoted(quotedUser)).toBe(user)
        expect(unquoted(quotedPassword)).toBe(password)
      }),
    )
  })

  test.each(['a\nb', 'a\rb', '\0', '\u0085'])('takes no %j, which would end a word', (password) => {
    expect(() => flinkJaas('flink', password)).toThrow(RangeError)
  })

  test('is named to the JVM, and holds what the command line must not', () => {
    const command = flinkJvmArguments('/millrace/secrets/flink.jaas')
    expect(command).toContain('-Djava.security.auth.login.config=/millrace/secrets/flink.jaas')
    expect(command.join(' ')).not.toMatch(/password|username/i)
  })
})

/** What a quoted word of a JAAS file stands for; a quote without a backslash would end it early. */
function unquoted(word = ''): string {
  const inner = word.slice(1, -1)
  expect(inner).toMatch(/^(?:[^"\\]|\\[\s\S])*$/)
  return inner.replaceAll(/\\([\s\S])/g, '$1')
}
