import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { layoutOf } from '@millrace/stack/layout'
import { stack } from '@millrace/testkit/fixture'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import * as z from 'zod'
import { batchShape, batched, bearer, get, latestShape, order } from './api.ts'
import { makeFreeType } from './free-type.ts'
import { subscribeEvents } from './stream-client.ts'

const { portBase, stateDirectory } = stack()
const type = 'gateway-drain.made'
const port = portBase + 5
const url = `http://127.0.0.1:${port}`
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

beforeAll(() => makeFreeType(type, null, 3))

/** A second gateway of the same platform, with settings of its own. */
async function startSecondGateway() {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'))
  const settings = z
    .looseObject({})
    .parse(JSON.parse(await readFile(join(layoutOf(stateDirectory).configuration, 'gateway.json'), 'utf8')))
  const file = join(directory, 'gateway.json')
  await writeFile(file, JSON.stringify({ ...settings, port }), { mode: 0o600 })
  const child = spawn(process.execPath, [main, '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await rm(directory, { recursive: true })
  })
  let log = ''
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()))
  await vi.waitFor(async () => expect((await fetch(`${url}/health/ready`)).status).toBe(200), { timeout: 60_000 })
  return { child, log: () => log }
}

test('a gateway that is told to stop under load answers what it took, closes its streams and ends well', async () => {
  const { child, log } = await startSecondGateway()
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const { authorization } = await bearer('events:write:*', 'events:read:*')
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/events/stream?topic=${type}-topic`, {
    headers: { authorization },
  })
  const streamClosed = new Promise<{ code: number }>((resolve) => socket.addEventListener('close', resolve))
  await new Promise((resolve) => socket.addEventListener('open', resolve))

  const sse = await subscribeEvents(`topic=${type}-topic`, { authorization }, url)

  const acknowledged: string[] = []
  const statuses = new Set<number>()
  let number = 0
  const produce = async (): Promise<void> => {
    for (;;) {
      const events = Array.from({ length: 10 }, () => order({ type, id: `e${number++}` }))
      const headers = { authorization, 'content-type': batched }
      const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) }).catch(
        () => undefined,
      )
      if (!answer) return // the connection is closed: it is gone
      statuses.add(answer.status)
      if (answer.status !== 200) return
      acknowledged.push(...batchShape.parse(await answer.json()).results.map(({ id }) => id ?? ''))
    }
  }
  const producers = Array.from({ length: 4 }, produce)
  await vi.waitUntil(() => acknowledged.length > 100, { timeout: 20_000 })
  child.kill('SIGTERM')

  await Promise.all([...producers, sse.ended])
  expect(await streamClosed).toMatchObject({ code: 1001 })
  expect(sse.received.at(-1)).toMatchObject({ event: 'end' })
  expect(await exited, log()).toBe(0)
  expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([])
  const answer = await get(`/v1/events/latest?type=${type}&limit=1000`, 'events:read:*')
  const { events } = latestShape.parse(await answer.json())
  const stored = events.map(({ event }) => event['id'])
  expect(new Set(stored).size).toBe(stored.length)
  if (stored.length < 1_000) expect(stored).toEqual(expect.arrayContaining(acknowledged))
  else expect(stored).toEqual(expect.arrayContaining(acknowledged.slice(-500)))
})
