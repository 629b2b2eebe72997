import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

test('a runner outlives its closed output: what it cannot tell does not end it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'run-stack-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const options = {
    stateDirectory: join(folder, 'state'),
    portBase: 20_000,
    brokers: 1,
    platform: { events: [], access: [] },
    java: { javaHome: join(folder, 'no-java'), path: '' },
  }
  const program = `
    import { runStack } from ${JSON.stringify(import.meta.resolve('../src/run-stack.ts'))}
    await runStack(${JSON.stringify(options)}, async () => undefined).catch(() => undefined)
    process.stderr.write('told to nobody')
    process.stdout.write('told to nobody')
    setImmediate(() => process.exit(7))
  `
  const runner = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] })
  runner.stdout.destroy()
  runner.stderr.destroy()
  expect(await once(runner, 'exit')).toEqual([7, null])
})
