import { sampleIn } from '@millrace/testkit/exposition'
import { stack } from '@millrace/testkit/fixture'
import { beforeAll, expect, test, vi } from 'vitest'
import { batched, bearer, order, post } from './api.ts'
import { makeFreeType } from './free-type.ts'
import { subscribe } from './stream-client.ts'

const { gatewayUrl } = stack()
const type = 'gateway-fan-out.made'
const subscribersCount = 1_000
const eventsCount = 200

beforeAll(() => makeFreeType(type, '/key', 3))

/** Processor seconds that the gateway has used, by its own account. */
async function cpuSeconds(): Promise<number> {
  const answer = await fetch(`${gatewayUrl}/metrics`, { headers: await bearer('metrics:read') })
  return sampleIn(await answer.text(), 'process_cpu_seconds_total')
}

test(
  'a thousand subscribers of one instance all get every event, once and in order',
  { timeout: 240_000 },
  async () => {
    const { authorization } = await bearer('events:read:gateway-fan-out.*')
    const subscribers: Awaited<ReturnType<typeof subscribe>>[] = []
    for (let at = 0; at < subscribersCount; at += 50) {
      const some = Array.from({ length: 50 }, () => subscribe(`topic=${type}-topic`, authorization))
      subscribers.push(...(await Promise.all(some)))
    }
    const ids = Array.from({ length: eventsCount }, (_, number) => `e${number}`)
    const sent = ids.map((id) => order({ type, id }, { key: 'one' }))
    const before = await cpuSeconds()
    for (let at = 0; at < sent.length; at += 20) {
      expect((await post(sent.slice(at, at + 20), { contentType: batched })).status).toBe(200)
    }
    await vi.waitUntil(() => subscribers.every(({ frames }) => frames.length >= ids.length), {
      timeout: 120_000,
      interval: 250,
    })
    const spent = (await cpuSeconds()) - before
    for (const each of subscribers) expect(each.ids()).toEqual(ids)
    console.info(`${Math.round((subscribersCount * eventsCount) / spent)} deliveries per CPU-second of the gateway`)
  },
)
