import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { millrace, temporaryFolder } from './millrace.ts'

/** The commands of README.md, each with the words that stand behind it: `tail` with `<topic>`, `status` with `--json`. */
const documented = documentedCommands(readFileSync(new URL('../../../README.md', import.meta.url), 'utf8'))

function documentedCommands(readme: string): { command: string; words: string[] }[] {
  const section = /## The command line\n\n```\n([^`]*)```/.exec(readme)?.[1] ?? ''
  return section
    .split('npx millrace')
    .slice(1)
    .flatMap((usage) => {
      const commands = /^ ([a-z]+(?: \| [a-z]+)*)/.exec(usage)?.[1]?.split(' | ') ?? []
      const words = usage.match(/--[a-z-]+|<[a-z]+>/g) ?? []
      return commands.map((command) => ({ command, words }))
    })
}

test('the README shows every command of a running platform', () => {
  const names = documented.map(({ command }) => command).sort()
  expect(names).toEqual([
    'apply',
    'dlq',
    'down',
    'drill',
    'generate',
    'pipelines',
    'plan',
    'status',
    'tail',
    'token',
    'up',
  ])
})

test('the help lists every command that the README shows', async () => {
  const { code, stdout } = await millrace('--help')
  expect(code).toBe(0)
  for (const { command } of documented) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
})

test.concurrent.each(documented)('$command --help lists what the README shows: $words', async ({ command, words }) => {
  const { code, stdout, stderr } = await millrace(command, '--help')
  expect(code).toBe(0)
  expect(stderr).toBe('')
  for (const word of words) expect(stdout).toContain(word)
})

describe('a usage error exits with 2 and says on standard error what is wrong', () => {
  test.each<[string[], RegExp]>([
    [['fly'], /unknown command 'fly'/],
    [['drill', 'fly'], /there is no drill "fly": see "millrace drill list"/],
    [['drill', 'broker-kill', '--rate', '50'], /a drill takes 100 events per second at least/],
    [['drill', 'broker-kill', '--seed', 'any'], /'any' is invalid. Write a whole number/],
    [['drill', 'broker-kill', '--rate', 'fast'], /'fast' is invalid. Write a whole number/],
    [['dlq', 'fly'], /unknown command 'fly'/],
    [['dlq', 'list'], /missing required argument 'topic'/],
    [['dlq', 'replay', 'order.placed'], /say which: --id, --reason, or --all/],
    [['dlq', 'replay', 'order.placed', '--all', '--cap', '0'], /'0' is invalid. Write a whole number/],
    [['pipelines', 'fly'], /unknown command 'fly'/],
    [['pipelines', 'backtest', 'platform.ts'], /required option '--from <time>' not specified/],
    [['pipelines', 'backtest', 'platform.ts', '--from', 'earliest', '--diff', 'x'], /Allowed choices are live/],
    [['pipelines', 'stop'], /missing required argument 'name'/],
    [['status', '--bogus'], /unknown option '--bogus'/],
    [['tail'], /missing required argument 'topic'/],
    [['tail', 'order.placed', '--limit', 'few'], /'few' is invalid. Write a whole number/],
    [['token'], /required option '--scope <scope>' not specified/],
    [['token', '--scope', 'everything'], /'everything' is invalid. Write it as in events:read:order\.\*/],
    [['token', '--scope', 'events:write:*', '--ttl', '1 hour'], /'1 hour' is invalid. Write a number and s, m, h or d/],
    [['token', '--scope', 'events:write:*', '--ttl', '0s'], /'0s' is invalid/],
    [['up', '--brokers', '2'], /Allowed choices are 1, 3/],
    [['up', '--gateways', '0'], /'0' is invalid. Write a whole number/],
    [['up', '--gateways', '11'], /'11' is invalid. The most are 10/],
    [['up', '--flink', 'session'], /Allowed choices are embedded, cluster/],
    [['up', '--flink', 'cluster', '--task-managers', '0'], /'0' is invalid. Write a whole number/],
    [['up', '--flink', 'cluster', '--task-managers', '5'], /'5' is invalid. The most are 4/],
    [['up', '--task-managers', '2'], /Flink has TaskManagers of its own as a cluster only: add --flink cluster/],
    [['up', '--port-base', 'high'], /'high' is invalid. Write a whole number/],
    [['up', '--port-base', '65500'], /'65500' is invalid. The highest is 65436/],
  ])('%j', async (words, sentence) => {
    const { code, stdout, stderr } = await millrace(...words)
    expect(code).toBe(2)
    expect(stderr).toMatch(sentence)
    expect(stderr).not.toContain('    at ') // no stack trace
    expect(stdout).toBe('')
  })
})

test('a definition that cannot be loaded, or is none, is a usage error that names the file', async () => {
  const state = await temporaryFolder()
  const missing = await millrace('up', '--state', state, '--platform', `${state}/platform.ts`)
  expect(missing.code).toBe(2)
  expect(missing.stderr).toContain(`${state}/platform.ts cannot be loaded`)
  const other = await millrace('up', '--state', state, '--platform', fileURLToPath(import.meta.resolve('commander')))
  expect(other.code).toBe(2)
  expect(other.stderr).toContain('must export "definePlatform({ … })" by default')
})
