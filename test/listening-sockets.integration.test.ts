import { layoutOf } from '@millrace/stack/layout'
import { readRecord } from '@millrace/stack/run-folder'
import { stack } from '@millrace/testkit/fixture'
import { expect, test } from 'vitest'
import { isLoopback, listeningAddresses } from './sockets.ts'

const { stateDirectory } = stack()

test.runIf(process.platform === 'linux')('nothing listens beyond loopback', async () => {
  // Other tests end servers, which the stack starts again.
  const services = (await readRecord(layoutOf(stateDirectory)))?.services ?? []
  const pids = services.flatMap(({ pid }) => (typeof pid === 'number' ? [pid] : []))
  const addresses = await listeningAddresses(pids)
  expect(addresses.length).toBeGreaterThan(15)
  expect(addresses.filter((address) => !isLoopback(address))).toEqual([])
})
