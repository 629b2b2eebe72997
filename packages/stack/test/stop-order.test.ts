import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { layoutOf } from '../src/layout.ts'
import type { ServerSpec } from '../src/server.ts'
import { createStack } from '../src/stack.ts'

const program =
  'process.on("SIGTERM", () => setTimeout(() => process.exit(0), 200)); console.log("serving"); setInterval(() => undefined, 1000)'

test('what uses a server stops before it, though it need not wait for it to start', async () => {
  const layout = layoutOf(await mkdtemp(join(tmpdir(), 'stop-order-')))
  for (const directory of [layout.logs, layout.run, layout.temporary]) await mkdir(directory)
  onTestFinished(() => rm(layout.state, { recursive: true }))
  const server = (name: string, order: Pick<ServerSpec, 'dependsOn' | 'uses'>): ServerSpec => ({
    kind: 'server',
    name,
    ...order,
    address: 'nowhere',
    ports: [],
    command: { file: process.execPath, arguments: ['-e', program] },
    probe: async () => (await readFile(join(layout.logs, `${name}.log`), 'utf8')).includes('serving'),
    readyTimeoutMs: 20_000,
    stopTimeoutMs: 5_000,
  })
  const stopped: string[] = []
  const parts = [
    server('processing', { dependsOn: [], uses: ['log'] }),
    server('log', { dependsOn: [] }),
    server('api', { dependsOn: ['log'] }),
  ]
  const stack = createStack({ layout }, 1, parts, {
    changed: ({ name, state }) => {
      if (state === 'stopped') stopped.push(name)
    },
    task: () => undefined,
    note: () => undefined,
  })
  await stack.start(new AbortController().signal)
  await stack.stop()
  expect(stopped.toSorted()).toEqual(['api', 'log', 'processing'])
  expect(stopped.at(-1)).toBe('log')
})
