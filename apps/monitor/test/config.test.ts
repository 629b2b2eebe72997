import { parseConfig } from '@millrace/service/config'
import { expect, test } from 'vitest'
import { monitorConfig } from '../src/config.ts'

const settings = {
  port: 9_308,
  kafka: { bootstrapServers: ['127.0.0.1:9092'], caFile: 'ca.pem', username: 'monitor', password: 'p' },
}

test('the monitor looks every two seconds and listens on loopback unless told otherwise', () => {
  expect(parseConfig(monitorConfig, settings, 'monitor.json')).toMatchObject({ host: '127.0.0.1', intervalMs: 2_000 })
})

test.each([
  [{ host: '0.0.0.0' }, /host: /],
  [{ intervalMs: 10 }, /intervalMs: /],
  [{ interval: 2_000 }, /interval: there is no such setting/],
])('what is wrong is named: %j', (changes, sentence) => {
  expect(() => parseConfig(monitorConfig, { ...settings, ...changes }, 'monitor.json')).toThrow(sentence)
})
