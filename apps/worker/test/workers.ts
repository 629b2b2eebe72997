/** Workers as processes of their own, and what they do, read from Kafka. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventTypesOf } from '@millrace/core/platform'
import { openReader, type StoredRecord } from '@millrace/kafka/reader'
import { layoutOf } from '@millrace/stack/layout'
import { stack } from '@millrace/testkit/fixture'
import { afterAll, onTestFinished, vi } from 'vitest'
import * as z from 'zod'
import platform from './scripted-platform.ts'

const {
  connection,
  bootstrapServers,
  caFile,
  passwords,
  registryUrl,
  registryPassword,
  gatewayUrl,
  stateDirectory,
  token,
} = stack()
const main = fileURLToPath(import.meta.resolve('../src/main.ts'))
const definitionFile = fileURLToPath(import.meta.resolve('./scripted-platform.ts'))
const sealingKeysFile = join(layoutOf(stateDirectory).secrets, 'sealing-keys.json')
const reader = openReader(connection('admin'))
afterAll(() => reader.close())

/** Makes the event types of the scripted platform. */
export async function makeTypes(): Promise<void> {
  const headers = { authorization: `Bearer ${await token('catalog:write')}`, 'content-type': 'application/json' }
  for (const { name, format, schema, key, partitions } of eventTypesOf(platform)) {
    const body = JSON.stringify({ format, schema, key, partitions })
    const { status } = await fetch(`${gatewayUrl}/v1/event-types/${name}`, { method: 'PUT', headers, body })
    if (status > 201) throw new Error(`${name} was not made: ${status}`)
  }
}

/** Starts a worker. It is killed when the test is over, if it has not ended by then. */
export async function startWorker(instance: string): Promise<ChildProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'worker-'))
  const config = join(directory, 'worker.json')
  const kafka = { bootstrapServers, caFile, username: 'admin', password: passwords['admin'], clientId: instance }
  const registry = { url: registryUrl, caFile, username: 'admin', password: registryPassword }
  await writeFile(config, JSON.stringify({ port: 0, definitionFile, instance, kafka, registry, sealingKeysFile }))
  const child = spawn(process.execPath, [main, '--config', config], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await vi.waitUntil(() => said.includes('"ready"') || child.exitCode !== null, 30_000)
  if (child.exitCode !== null) throw new Error(`the worker ended: ${said}`)
  return child
}

export async function end(worker: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const ended = once(worker, 'exit')
  worker.kill(signal)
  await ended
  return worker.exitCode
}

export type Told = { readonly key: string; readonly number: number; readonly does: string }

const batchMax = 500

/** Posts tasks, in order. Their source is the test's, their ids are made of key and number. */
export async function post(source: string, tasks: readonly Told[]): Promise<void> {
  const headers = {
    authorization: `Bearer ${await token('events:write:worker.task')}`,
    'content-type': 'application/cloudevents-batch+json',
  }
  for (let from = 0; from < tasks.length; from += batchMax) {
    const events = tasks.slice(from, from + batchMax).map((data) => {
      const id = `${data.key}-${data.number}`
      return { specversion: '1.0', source, id, type: 'worker.task', data }
    })
    const answer = await fetch(`${gatewayUrl}/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) })
    if (answer.status !== 200) throw new Error(`not all were taken: ${await answer.text()}`)
  }
}

/** All committed records of a topic, in the order of each partition. */
export async function recordsOf(topic: string): Promise<StoredRecord[]> {
  const all: StoredRecord[] = []
  for (let from = await reader.offsetsAt(topic, 'earliest'); ;) {
    const page = await reader.readPage(topic, from, 1_000)
    if (page.found !== 'records') throw new Error(`${topic} cannot be read`)
    all.push(...page.records)
    if (page.atEnd) return all
    from = page.next
  }
}

const effectData = z.strictObject({ key: z.string(), number: z.int(), attempt: z.int() })

export type Effect = { readonly id: string; readonly key: string; readonly number: number; readonly attempt: number }

/** What was done of the tasks with keys that begin like this, in the order of each key. */
export async function effectsOf(prefix: string): Promise<Effect[]> {
  const effects = (await recordsOf('worker.effect')).map(({ headers, value }) => {
    return { id: headers.get('ce_id') ?? '', ...effectData.parse(JSON.parse(value?.toString() ?? '')) }
  })
  return effects.filter(({ key }) => key.startsWith(prefix))
}

/** Waits until so many tasks have had their effect, or more. */
export async function effects(prefix: string, count: number, timeoutMs = 60_000): Promise<Effect[]> {
  let found: Effect[] = []
  await vi.waitUntil(async () => (found = await effectsOf(prefix)).length >= count, {
    timeout: timeoutMs,
    interval: 200,
  })
  return found
}
