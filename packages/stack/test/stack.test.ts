import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { type Layout, layoutOf } from '../src/layout.ts'
import { identify } from '../src/process-identity.ts'
import type { ServerSpec } from '../src/server.ts'
import { createStack } from '../src/stack.ts'

const program =
  'process.on("SIGTERM", () => setTimeout(() => process.exit(0), 200)); console.log(`serving as ${process.pid}`); setInterval(() => undefined, 1000)'

let layout: Layout

beforeEach(async () => {
  layout = layoutOf(await mkdtemp(join(tmpdir(), 'stack-')))
  for (const directory of [layout.logs, layout.run, layout.temporary]) await mkdir(directory)
  onTestFinished(() => rm(layout.state, { recursive: true }))
})

/** The process that serves under a name, as it told its log. */
async function servingPid(name: string): Promise<number | undefined> {
  const log = await readFile(join(layout.logs, `${name}.log`), 'utf8')
  const pid = /serving as (\d+)/.exec(log)?.[1]
  return pid === undefined ? undefined : Number(pid)
}

function server(name: string, overrides: Partial<ServerSpec>): ServerSpec {
  return {
    kind: 'server',
    name,
    dependsOn: [],
    address: 'nowhere',
    ports: [],
    command: { file: process.execPath, arguments: ['-e', program] },
    probe: async () => (await servingPid(name)) !== undefined,
    readyTimeoutMs: 20_000,
    stopTimeoutMs: 5_000,
    ...overrides,
  }
}

function stackOf(parts: readonly ServerSpec[]) {
  const changes: string[] = []
  const stack = createStack({ layout }, 1, parts, {
    changed: ({ name, state }) => changes.push(`${name} ${state}`),
    task: () => undefined,
    note: () => undefined,
  })
  return { stack, changes }
}

test('what uses a server stops before it, though it need not wait for it to start', async () => {
  const { stack, changes } = stackOf([
    server('processing', { uses: ['log'] }),
    server('log', {}),
    server('api', { dependsOn: ['log'] }),
  ])
  await stack.start(new AbortController().signal)
  await stack.stop()
  const stopped = changes.filter((change) => change.endsWith('stopped'))
  expect(stopped.toSorted()).toEqual(['api stopped', 'log stopped', 'processing stopped'])
  expect(stopped.at(-1)).toBe('log stopped')
})

test('a start that is given up while the last server answers its probe leaves no process, no record and no lock', async () => {
  const interrupt = new AbortController()
  const { stack, changes } = stackOf([
    server('log', {}),
    server('api', {
      dependsOn: ['log'],
      probe: async () => {
        if ((await servingPid('api')) === undefined) return false
        interrupt.abort(new Error('interrupted'))
        await vi.waitUntil(() => changes.includes('api stopping'))
        return true
      },
    }),
  ])
  await expect(stack.start(interrupt.signal)).rejects.toThrow('api is being stopped')
  for (const name of ['log', 'api']) expect(await identify((await servingPid(name)) ?? 0)).toBeUndefined()
  expect(changes).not.toContain('api running')
  expect(await readdir(layout.run)).toEqual([])
})
