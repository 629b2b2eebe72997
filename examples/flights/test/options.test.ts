import { MillraceError } from '@millrace/core/errors'
import { portBaseDefault } from '@millrace/stack/ports'
import { describe, expect, test } from 'vitest'
import { optionsOf, usage } from '../src/options.ts'
import { replayDefaults } from '../src/replay.ts'

const defaults = {
  forMs: undefined,
  eventsPerSecond: replayDefaults.eventsPerSecond,
  json: false,
  help: false,
  alone: false,
  portBase: portBaseDefault,
  flink: 'embedded',
  taskManagers: undefined,
  stateDirectory: undefined,
}

test('without flags the replay goes on until Ctrl-C, at the rate that the machine sustains', () => {
  expect(optionsOf([])).toEqual(defaults)
})

test.each<readonly [string, object]>([
  ['--for 90s', { forMs: 90_000 }],
  ['--for 5m', { forMs: 300_000 }],
  ['--for 2h', { forMs: 7_200_000 }],
  ['--for 596h', { forMs: 596 * 3_600_000 }],
  ['--for 2147483s', { forMs: 2_147_483_000 }],
  ['--rate 2500', { eventsPerSecond: 2_500 }],
  ['--rate 0.5', { eventsPerSecond: 0.5 }],
  ['--rate 0', { eventsPerSecond: undefined }],
  ['--json', { json: true }],
  ['--help', { help: true }],
  ['--alone', { alone: true }],
  ['--port-base 1024', { portBase: 1_024 }],
  ['--port-base 65435', { portBase: 65_435 }],
  ['--flink embedded', {}],
  ['--flink cluster', { flink: 'cluster' }],
  ['--flink cluster --task-managers 4', { flink: 'cluster', taskManagers: 4 }],
  ['--state /tmp/elsewhere', { stateDirectory: '/tmp/elsewhere' }],
  ['--for=60s --rate=0 --json', { forMs: 60_000, eventsPerSecond: undefined, json: true }],
])('%s', (flags, changed) => {
  expect(optionsOf(flags.split(' '))).toEqual({ ...defaults, ...changed })
})

function refusalOf(argv: readonly string[]): MillraceError {
  try {
    optionsOf(argv)
  } catch (error) {
    if (error instanceof MillraceError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a value that cannot be used is refused with how to write it', () => {
  test.each(['', '60', '0s', '-5s', '1.5m', '5 m', '5d', 's'])('--for=%s', (text) => {
    const { code, message } = refusalOf([`--for=${text}`])
    expect(code).toBe('config.invalid')
    expect(message).toBe(`"${text}" is not a duration: write it as in 60s or 5m`)
  })

  test.each(['2147484s', '35792m', '597h', `${'9'.repeat(400)}h`])('--for=%s, longer than a timer waits', (text) => {
    const { code, message } = refusalOf([`--for=${text}`])
    expect(code).toBe('config.invalid')
    expect(message).toBe(`"${text}" is too long: write at most 596h, or leave --for out to replay until Ctrl-C`)
  })

  test.each(['', ' ', 'fast', '-1', 'NaN', 'Infinity', '1000/s'])('--rate=%s', (text) => {
    const { code, message } = refusalOf([`--rate=${text}`])
    expect(code).toBe('config.invalid')
    expect(message).toBe(`"${text}" is not a rate: write events per second, or 0 for no limit`)
  })

  test.each(['', 'session', 'Cluster'])('--flink=%s', (text) => {
    const { code, message } = refusalOf([`--flink=${text}`])
    expect(code).toBe('config.invalid')
    expect(message).toBe(`"${text}" is no form of Flink: write embedded or cluster`)
  })

  test.each(['', '0', '5', '1.5', 'two'])('--task-managers=%s', (text) => {
    const { code, message } = refusalOf([`--task-managers=${text}`])
    expect(code).toBe('config.invalid')
    expect(message).toBe(`"${text}" is no number of TaskManagers: write one from 1 to 4`)
  })

  test.each(['', 'http', '80', '1023', '65436', '19000.5', '-19000'])('--port-base=%s', (text) => {
    const { code, message } = refusalOf([`--port-base=${text}`])
    expect(code).toBe('config.invalid')
    expect(message).toBe(`"${text}" is no first port: write a number from 1024 to 65435`)
  })
})

test.each([
  ['a flag that there is not', '--fro=60s', "'--fro'"],
  ['a flag without its value', '--for', "'--for <value>'"],
  ['a value for a flag that has none', '--json=yes', "'--json'"],
  ['an argument that is no flag', '60s', "'60s'"],
])('%s is refused with the usage', (_, flag, named) => {
  const { code, message } = refusalOf([flag])
  expect(code).toBe('config.invalid')
  expect(message).toContain(named)
  expect(message.endsWith(`\n\n${usage}`)).toBe(true)
})

test('the usage names every flag', () => {
  const named = [...usage.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, flag]) => flag)
  expect(named).toEqual([
    ...['--for', '--json', '--rate', '--alone', '--flink', '--task-managers', '--port-base', '--state', '--help'],
  ])
})
