import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { jobManagerConfiguration, sqlGatewayConfiguration, taskManagerConfiguration } from '../src/cluster-config.ts'
import { slots } from '../src/server-config.ts'
import { settingsIn } from './settings.ts'

const cluster = {
  restPort: 8081,
  sqlGatewayPort: 8083,
  jobManagerPort: 6123,
  blobPort: 6124,
  checkpointDirectory: '/millrace/checkpoints',
}
const heapMb = 512
const process = { metricsPort: 9249, metricsQueryPort: 6125, temporaryDirectory: '/millrace/tmp' }
const taskManager = { ...process, resourceId: 'one-of-two', rpcPort: 6126, dataPort: 6127 }
const texts = {
  jobmanager: jobManagerConfiguration(cluster, process),
  taskmanager: taskManagerConfiguration(cluster, taskManager, heapMb),
  'sql-gateway': sqlGatewayConfiguration(cluster, process),
}
const each = Object.entries(texts).map(([name, text]) => ({ name, text, settings: settingsIn(text) }))
const regenerate = 'if the change is meant: node_modules/.bin/vitest run --project unit packages/flink --update'

describe.each(each)("the configuration of a cluster's $name", ({ name, text, settings }) => {
  test('is the one that is kept', async () => {
    await expect(text, regenerate).toMatchFileSnapshot(join(import.meta.dirname, `golden/${name}/config.yaml`))
  })

  test('has one line for each setting, and none twice', () => {
    expect(settings.size).toBe(text.trimEnd().split('\n').length)
  })

  test('binds everything to loopback, and looks for the JobManager there', () => {
    const addresses = [...settings].filter(([key]) => /(address|host)$/.test(key))
    expect(addresses.map(([key]) => key)).toEqual(
      expect.arrayContaining([
        ...['rest.bind-address', 'sql-gateway.endpoint.rest.bind-address'],
        ...['jobmanager.rpc.address', 'jobmanager.bind-host', 'taskmanager.bind-host'],
      ]),
    )
    expect(new Set(addresses.map(([, address]) => address))).toEqual(new Set(['127.0.0.1']))
  })

  test('lets nobody upload code', () => {
    expect(settings.get('web.submit.enable')).toBe(false)
  })

  test('gives jobs the same place and kind of state, whoever is asked', () => {
    expect(settings.get('state.backend.type')).toBe('rocksdb')
    expect(settings.get('execution.checkpointing.incremental')).toBe(true)
    expect(settings.get('execution.checkpointing.dir')).toBe('file:///millrace/checkpoints')
  })
})

const portsOf = (name: keyof typeof texts) =>
  [...settingsIn(texts[name])].filter(([key]) => key.endsWith('port')).map(([, port]) => Number(port))

test('every port is told, so that none is taken by chance that is meant for another', () => {
  const all = [6123, 6124, 8081, 8081, 8083, 8083]
  expect(portsOf('sql-gateway').sort()).toEqual(all)
  expect(portsOf('jobmanager').sort()).toEqual([6123, 6124, 6125, 8081, 8081, 8083, 8083, 9249])
  expect(portsOf('taskmanager').sort()).toEqual([6123, 6124, 6125, 6126, 6127, 8081, 8081, 8083, 8083, 9249])
})

test("a TaskManager's heap is that of its JVM, and its slots have memory", () => {
  const settings = settingsIn(texts.taskmanager)
  const megabytes = (key: string) => Number(/^(\d+)mb$/.exec(String(settings.get(key)))?.[1])
  const heap = ['framework', 'task'].map((part) => megabytes(`taskmanager.memory.${part}.heap.size`))
  expect(heap.reduce((sum, part) => sum + part)).toBe(heapMb)
  expect(settings.get('taskmanager.numberOfTaskSlots')).toBe(slots)
  // Of which half is RocksDB's; Flink refuses a windowed aggregation with less than 8 MiB.
  expect(megabytes('taskmanager.memory.managed.size') / slots / 2).toBeGreaterThanOrEqual(8)
})
