import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const logger = new URL('../src/logger.ts', import.meta.url).href

/** What a process of its own logs, as it is a logger of stdout. */
function logged(statement: string): string {
  const program = `import { createLogger } from '${logger}'; const logger = createLogger('test'); ${statement}`
  return spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' }).stdout
}

test('a line is JSON with level, time, name and message', () => {
  expect(JSON.parse(logged("logger.info({ port: 1 }, 'ready')"))).toMatchObject({
    level: 'info',
    name: 'test',
    port: 1,
    msg: 'ready',
  })
})

test('what has the name of a secret is not written', () => {
  const text = logged("logger.error({ password: 'hunter2', kafka: { password: 'hunter2' }, token: 'hunter2' }, 'x')")
  expect(text).toContain('[redacted]')
  expect(text).not.toContain('hunter2')
})

test('an error is written with its cause', () => {
  expect(logged("logger.error({ err: new Error('a', { cause: new Error('because b') }) }, 'x')")).toContain('because b')
})
