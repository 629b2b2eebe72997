import { expect, test } from 'vitest'
import { progress } from '../src/progress.ts'
import type { ServerState } from '../src/server.ts'

function told() {
  const lines: string[] = []
  const say = progress((line) => lines.push(line.replace(/\d+\.\d s/, '0.0 s')))
  const server = (state: ServerState, restarts = 0, detail?: string) =>
    say.changed({ name: 'kafka-1', state, address: '127.0.0.1:19011', pid: 1, restarts }, detail)
  return { lines, say, server }
}

test('a server that comes up is one line, when it is ready: how long it took and where it is', () => {
  const { lines, server } = told()
  server('starting')
  expect(lines).toEqual([])
  server('running')
  expect(lines).toEqual(['  ✓ kafka-1              0.0 s  127.0.0.1:19011'])
})

test('a crash and the way back are told, and no second "ready"', () => {
  const { lines, server } = told()
  server('restarting', 1, 'kafka-1 died (SIGKILL); starting it again')
  server('running', 1, 'kafka-1 is back')
  expect(lines).toEqual(['  ! kafka-1 died (SIGKILL); starting it again', '  ! kafka-1 is back'])
})

test('a failure is told with its reason, a stop is silent', () => {
  const { lines, server } = told()
  server('failed', 0, 'kafka-1 ended (exit code 3)')
  server('stopping')
  server('stopped')
  expect(lines).toEqual(['  ✗ kafka-1 ended (exit code 3)'])
})

test('a task is told when it is done, and not when it failed: its error is shown by who started the stack', () => {
  const { lines, say } = told()
  say.task('foundation', 'running')
  say.task('foundation', 'done')
  say.task('definition', 'running')
  say.task('definition', 'failed')
  expect(lines).toEqual(['  ✓ foundation           0.0 s'])
})
