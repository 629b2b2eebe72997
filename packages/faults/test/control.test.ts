import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openControl } from '../src/control.ts'
import { type Faults, openFaults } from '../src/control-client.ts'
import type { Order } from '../src/fault.ts'
import { openNetwork, type Network } from './network.ts'

const order: Order = { listeners: ['link'], fault: { kind: 'refuse' }, forMs: 60_000 }

async function open(): Promise<{ network: Network; faults: Faults; socketPath: string }> {
  const network = await openNetwork()
  const directory = await mkdtemp(join(tmpdir(), 'faults-'))
  const socketPath = join(directory, 'control.sock')
  const control = await openControl(network.proxy, socketPath)
  const faults = openFaults(socketPath)
  onTestFinished(async () => {
    await faults.close()
    await control.close()
    await rm(directory, { recursive: true })
  })
  return { network, faults, socketPath }
}

test('faults are ordered and healed through a socket that only its owner can open', async () => {
  const { network, faults, socketPath } = await open()
  expect((await stat(socketPath)).mode & 0o777).toBe(0o600)
  const id = await faults.order(order)
  expect(network.proxy.standing()).toEqual([{ id, order }])
  await faults.order(order)
  expect(await faults.count()).toBe(2)
  await faults.heal(id)
  expect(await faults.count()).toBe(1)
  await faults.healAll()
  expect(network.proxy.standing()).toEqual([])
})

test('what cannot be ordered is refused, saying why', async () => {
  const { faults } = await open()
  await expect(faults.order({ ...order, forMs: 0 })).rejects.toThrow('forMs')
  await expect(faults.order({ ...order, from: { only: 1 } })).rejects.toThrow('who is refused cannot be chosen')
  await expect(faults.order({ ...order, listeners: ['none'] })).rejects.toThrow('there is no listener none')
})

test('a proxy that does not run is said to be so', async () => {
  const faults = openFaults(join(tmpdir(), 'no-such-proxy.sock'))
  onTestFinished(() => faults.close())
  await expect(faults.count()).rejects.toThrow('the fault proxy does not answer')
})

test('a path that is too long for a socket is refused with the way out', async () => {
  const { proxy } = await openNetwork()
  await expect(openControl(proxy, `/tmp/${'x'.repeat(110)}`)).rejects.toThrow('choose a shorter state folder')
})
