import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { layoutOf, projectDirectory } from '@millrace/stack/layout'
import { isAlive } from '@millrace/stack/process-identity'
import { readRecord } from '@millrace/stack/run-folder'
import { expect, onTestFinished, test, vi } from 'vitest'

const cli = resolve(projectDirectory, 'apps/cli/src/main.ts')
const run = promisify(execFile)
const timeoutMs = 400_000

test(
  'what a killed runner leaves behind is told by status and ended by down: no process, no lock, no temporary file',
  async () => {
    const state = await mkdtemp(join(tmpdir(), 'millrace-killed-'))
    const layout = layoutOf(state)
    const millrace = (command: string, ...options: readonly string[]) =>
      run(process.execPath, [cli, command, '--state', state, ...options], { timeout: timeoutMs })
    const up = spawn(process.execPath, [cli, 'up', '--brokers', '1', '--state', state, '--port-base', '28200'], {
      stdio: 'ignore',
    })
    onTestFinished(async () => {
      await millrace('down', '--wipe')
      await rm(state, { recursive: true, force: true })
    }, timeoutMs)
    await vi.waitUntil(async () => (await readRecord(layout))?.ready, { timeout: timeoutMs, interval: 500 })
    const { services = [] } = (await readRecord(layout)) ?? {}
    const identities = services.flatMap(({ pid, startedAt }) =>
      pid === null || startedAt === null ? [] : [{ pid, startedAt }],
    )
    expect(identities.length).toBe(services.length)

    up.kill('SIGKILL')
    await vi.waitUntil(() => up.signalCode === 'SIGKILL')
    expect((await Promise.all(identities.map(isAlive))).every(Boolean)).toBe(true)
    expect((await millrace('status')).stdout).toContain('not ready')

    expect((await millrace('down')).stdout).toContain(`stopped ${identities.length} servers of a killed run`)
    expect((await Promise.all(identities.map(isAlive))).some(Boolean)).toBe(false)
    expect(await readdir(layout.run)).toEqual([])
    expect(await readdir(layout.temporary)).toEqual([])
    expect((await millrace('status')).stdout).toContain('nothing runs here')
  },
  timeoutMs * 2,
)
