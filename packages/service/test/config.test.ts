import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { parseConfig, readConfig } from '../src/config.ts'

const schema = z.strictObject({ port: z.int(), kafka: z.strictObject({ username: z.string() }) })

test('an unknown setting is named with its path', () => {
  const settings = { port: 1, kafka: { username: 'u', pasword: 'p' } }
  expect(() => parseConfig(schema, settings, 'a.json')).toThrow(/a\.json: kafka\.pasword: there is no such setting/)
})

test('all that is wrong is told at once', () => {
  expect(() => parseConfig(schema, { port: 'x', kafka: {} }, 'a.json')).toThrow(/port: .*; kafka\.username: /)
})

test('a file that is not JSON is refused without a word of what is in it', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'config-')), 'a.json')
  await writeFile(file, '{"password": "hunter2",}')
  const error: unknown = await readConfig(schema, ['--config', file]).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'config.invalid' })
  expect(String(error)).not.toContain('hunter2')
})

test('without --config the sentence says what to do', async () => {
  await expect(readConfig(schema, [])).rejects.toThrow(/--config <file\.json>/)
})
