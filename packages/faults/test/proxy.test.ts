import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { openFaultProxy } from '../src/proxy.ts'
import { endOf, openNetwork, settle } from './network.ts'

const latency = { kind: 'latency', direction: 'both', ms: 30, jitterMs: 20, seed: 7 } as const
const held = { kind: 'black-hole', direction: 'both', bytes: 'held' } as const

test('without a fault everything passes, both ways, and each end hears when the other has ended', async () => {
  const { pair } = await openNetwork()
  const { client, server } = await pair()
  const [up, down] = [randomBytes(3_000_000), randomBytes(2_000_000)]
  client.socket.end(up)
  expect((await server.received(up.length)).equals(up)).toBe(true)
  expect(await server.ended).toBe('end')
  server.socket.end(down) // the other direction is open still
  expect((await client.received(down.length)).equals(down)).toBe(true)
  expect(await client.ended).toBe('end')
})

test('who reads nothing holds up who sends, and the proxy keeps no more than its bound', async () => {
  const { pair } = await openNetwork()
  const { client, server } = await pair()
  server.socket.pause()
  const chunk = Buffer.alloc(1_000_000)
  let sent = 0
  // Until the kernel and the proxy are full.
  while (sent < 64 && !client.socket.writableNeedDrain) {
    client.socket.write(chunk)
    sent += 1
    await settle()
  }
  expect(sent).toBeLessThan(64)
  server.socket.resume()
  client.socket.end()
  expect(await server.ended).toBe('end')
  expect(server.soFar()).toBe(sent * chunk.length)
})

test('a latency holds bytes up for its time and leaves them in order; it is gone when healed', async () => {
  const { pair, order, proxy } = await openNetwork()
  const { client, server } = await pair()
  await order(latency)
  const since = performance.now()
  for (let at = 0; at < 50; at += 1) client.socket.write(Buffer.of(at))
  expect([...(await server.received(50))]).toEqual(Array.from({ length: 50 }, (_, at) => at))
  expect(performance.now() - since).toBeGreaterThanOrEqual(latency.ms - latency.jitterMs)
  await proxy.healAll()
  client.socket.write('x')
  await server.received(51)
})

test('a latency with much under way reads on only where there is room, and loses nothing', async () => {
  const { pair, order } = await openNetwork()
  const { client, server } = await pair()
  await order(latency)
  const bytes = randomBytes(8_000_000)
  client.socket.end(bytes)
  expect((await server.received(bytes.length)).equals(bytes)).toBe(true)
  expect(await server.ended).toBe('end')
})

test('a reset breaks the connections off that there are, and every new one, until it is healed', async () => {
  const { pair, order, proxy } = await openNetwork()
  const { client, server } = await pair()
  await order({ kind: 'reset', direction: 'both', afterBytes: 0 })
  expect(await client.ended).toBe('ECONNRESET')
  expect(await server.ended).toBe('ECONNRESET')
  const late = endOf(connect({ port: proxy.port('link') ?? 0, host: '127.0.0.1' }))
  late.socket.write('x')
  expect(await late.ended).toMatch(/ECONNRESET|EPIPE/)
  await proxy.healAll()
})

test('a cut after so many bytes lets exactly these pass', async () => {
  const { pair, order } = await openNetwork()
  const { client, server } = await pair()
  await order({ kind: 'reset', direction: 'down', afterBytes: 5 })
  client.socket.write('up is not counted')
  await server.received(17)
  server.socket.write('abc')
  await client.received(3)
  server.socket.write('defgh')
  expect(await client.ended).toBe('ECONNRESET')
  expect(await server.ended).toBe('ECONNRESET')
  expect(client.soFar()).toBeLessThanOrEqual(5)
})

test('a black hole takes connections and delivers nothing; what it held arrives when it is healed', async () => {
  const { pair, order, proxy } = await openNetwork()
  const { client, server } = await pair()
  await order(held)
  client.socket.write('before')
  const late = await pair()
  late.client.socket.end('late')
  await settle()
  expect([server.soFar(), late.server.soFar()]).toEqual([0, 0])
  await proxy.healAll()
  expect((await server.received(6)).toString()).toBe('before')
  expect((await late.server.received(4)).toString()).toBe('late')
  expect(await late.server.ended).toBe('end')
})

test('a black hole of one direction loses what goes there alone, and resets whom it cost bytes when it is healed', async () => {
  const { pair, order, proxy } = await openNetwork()
  const [asked, silent] = [await pair(), await pair()]
  await order({ kind: 'black-hole', direction: 'down', bytes: 'lost' })
  asked.client.socket.write('request')
  expect((await asked.server.received(7)).toString()).toBe('request')
  asked.server.socket.write('answer')
  await settle()
  expect(asked.client.soFar()).toBe(0)
  await proxy.healAll()
  expect(await asked.client.ended).toBe('ECONNRESET')
  expect(asked.client.soFar()).toBe(0)
  silent.server.socket.write('still there')
  await silent.client.received(11)
})

test('garbage: every byte of the direction arrives as another', async () => {
  const { pair, order } = await openNetwork()
  const { client, server } = await pair()
  await order({ kind: 'corrupt', direction: 'up' })
  client.socket.write(Buffer.of(0, 1, 255))
  expect([...(await server.received(3))]).toEqual([255, 254, 0])
  server.socket.write('well')
  expect((await client.received(4)).toString()).toBe('well')
})

test('refused: nobody listens, who is connected stays so, and it listens again when healed', async () => {
  const { pair, order, proxy } = await openNetwork()
  const { client, server } = await pair()
  await order({ kind: 'refuse' })
  expect(await endOf(connect({ port: proxy.port('link') ?? 0, host: '127.0.0.1' })).ended).toBe('ECONNREFUSED')
  client.socket.write('on')
  await server.received(2)
  await proxy.healAll()
  const again = await pair()
  again.client.socket.write('again')
  await again.server.received(5)
})

test('several faults at once all apply, and each is healed for itself', async () => {
  const { pair, order, proxy } = await openNetwork()
  const { client, server } = await pair()
  const hole = await order(held)
  await order({ kind: 'corrupt', direction: 'both' })
  client.socket.write(Buffer.of(0))
  await settle()
  expect(server.soFar()).toBe(0)
  await proxy.heal(hole)
  expect([...(await server.received(1))]).toEqual([255])
  expect(proxy.standing()).toHaveLength(1)
})

test('a fault heals by itself after its time', async () => {
  const { pair, proxy } = await openNetwork()
  const { client, server } = await pair()
  await proxy.order({ listeners: ['link'], fault: held, forMs: 20 })
  client.socket.write('x')
  await server.received(1)
  expect(proxy.standing()).toEqual([])
})

test('a listener that there is not is named, with those that there are', async () => {
  const { proxy } = await openNetwork()
  await expect(proxy.order({ listeners: ['lnk'], fault: held, forMs: 1 })).rejects.toThrow(
    'there is no listener lnk: there are link',
  )
  expect(proxy.standing()).toEqual([])
})

test.runIf(process.platform === 'linux')('a fault befalls those alone that a process has opened', async () => {
  const { pair, proxy } = await openNetwork()
  const { client, server } = await pair()
  const others = await proxy.order({ listeners: ['link'], fault: held, forMs: 60_000, from: { except: process.pid } })
  client.socket.write('a')
  await server.received(1)
  await proxy.heal(others)
  const own = await proxy.order({ listeners: ['link'], fault: held, forMs: 60_000, from: { only: process.pid } })
  const late = await pair()
  client.socket.write('b')
  late.client.socket.write('c')
  await settle()
  expect([server.soFar(), late.server.soFar()]).toEqual([1, 0])
  await proxy.heal(own)
  await Promise.all([server.received(2), late.server.received(1)])
})

test('a process that is not there is said to be so, and no fault stands', async () => {
  const { pair, proxy } = await openNetwork()
  await pair()
  const from = { only: 2 ** 30 }
  await expect(proxy.order({ listeners: ['link'], fault: held, forMs: 60_000, from })).rejects.toThrow(
    /which connections come from process \d+ cannot be told/,
  )
  expect(proxy.standing()).toEqual([])
})

test('a server that is not there breaks off who connects', async () => {
  const nobody = createServer().listen(0, '127.0.0.1')
  await once(nobody, 'listening')
  const address = nobody.address()
  const port = typeof address === 'object' && address ? address.port : 0
  nobody.close()
  await once(nobody, 'close')
  const proxy = await openFaultProxy([{ name: 'link', port: 0, target: { host: '127.0.0.1', port } }])
  onTestFinished(() => proxy.close())
  expect(await endOf(connect({ port: proxy.port('link') ?? 0, host: '127.0.0.1' })).ended).toBe('ECONNRESET')
})
