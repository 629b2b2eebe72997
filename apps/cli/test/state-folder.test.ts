import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { layoutOf } from '@millrace/stack/layout'
import { identify } from '@millrace/stack/process-identity'
import { loadSecrets } from '@millrace/stack/secrets'
import { tokenAudience, tokenIssuer } from '@millrace/stack/token'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { millrace, temporaryFolder } from './millrace.ts'

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })

describe('in a folder where nothing ran', () => {
  test('status says so, to a person and to a program', async () => {
    const state = await temporaryFolder()
    const forPeople = await millrace('status', '--state', state)
    expect(forPeople).toEqual({ code: 0, stdout: 'nothing runs here: start it with "npx millrace up"\n', stderr: '' })
    const forPrograms = await millrace('status', '--state', state, '--json')
    expect(JSON.parse(forPrograms.stdout)).toEqual({ ready: false, services: [] })
  })

  test('down has nothing to do and leaves the folder as it is', async () => {
    const state = await temporaryFolder()
    expect(await millrace('down', '--state', state)).toEqual({ code: 0, stdout: 'nothing ran here\n', stderr: '' })
    expect(await readdir(state)).toEqual([])
  })

  test.each([['plan'], ['apply'], ['tail', 'order.placed'], ['pipelines', 'list']])(
    '%s fails and says how to start it',
    async (...words) => {
      const { code, stderr } = await millrace(...words, '--state', await temporaryFolder())
      expect(code).toBe(1)
      expect(stderr).toBe('nothing runs here: start it with "npx millrace up"\n')
    },
  )

  test('token fails and says that there is no issuer yet', async () => {
    const { code, stdout, stderr } = await millrace('token', '--state', await temporaryFolder(), '--scope', 'ops:read')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^there is no issuer yet: start the platform once/)
  })
})

test('down ends a runner that has only begun: it holds the lock and has no record yet', async () => {
  const state = await temporaryFolder()
  const runner = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'])
  onTestFinished(() => void runner.kill('SIGKILL'))
  await once(runner, 'spawn')
  const ended = once(runner, 'exit')
  await mkdir(join(state, 'run'))
  await writeFile(join(state, 'run', 'lock'), JSON.stringify(await identify(runner.pid ?? 0)))
  const { stdout } = await millrace('down', '--state', state)
  expect(stdout).toBe('everything is stopped\n')
  expect(await ended).toEqual([null, 'SIGTERM'])
  expect(await readdir(join(state, 'run'))).toEqual([])
})

test('down --wipe deletes a state folder, and nothing that is not one', async () => {
  const own = await temporaryFolder()
  for (const name of ['secrets', 'run']) await mkdir(join(own, name))
  const { stdout } = await millrace('down', '--wipe', '--state', own)
  expect(stdout).toBe('nothing ran here; the state folder is deleted\n')
  await expect(readdir(own)).rejects.toThrow('ENOENT')

  const home = await temporaryFolder()
  await writeFile(join(home, 'letter.txt'), 'dear')
  const { code, stderr } = await millrace('down', '--wipe', '--state', home)
  expect(code).toBe(2)
  expect(stderr).toContain('is no state folder (it holds letter.txt)')
  expect(await readdir(home)).toEqual(['letter.txt'])
})

test('token prints one JWT alone, good for the scopes, the name and the time that were asked for', async () => {
  const state = await temporaryFolder()
  const { jwksFile } = await loadSecrets(layoutOf(state), [])
  const scopes = ['events:write:flight.*', 'events:read:*']
  const words = scopes.flatMap((scope) => ['--scope', scope])
  const { code, stdout, stderr } = await millrace(
    'token',
    '--state',
    state,
    ...words,
    '--subject',
    'me',
    '--ttl',
    '15m',
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  const keys = createLocalJWKSet(keySet.parse(JSON.parse(await readFile(jwksFile, 'utf8'))))
  const { payload } = await jwtVerify(stdout.trim(), keys, { issuer: tokenIssuer, audience: tokenAudience })
  expect(payload).toMatchObject({ sub: 'me', scope: scopes.join(' ') })
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900)
})

test('doctor names the Java that the servers would run on', async () => {
  const { code, stdout } = await millrace('doctor', '--json')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\{"java":".*java","javaHome":".+","major":\d+\}\n$/)
})
