/** What the words behind an option mean. Each throws commander's InvalidArgumentError with the sentence to show: exit code 2. */
import { InvalidArgumentError } from 'commander'
import { parseScope } from '@millrace/core/scope'
import { gatewaysMax, taskManagersMax, workersMax } from '@millrace/stack/ports'

/** An installation takes the 100 ports from here, and 65 535 is the last that there is. */
const portBaseMax = 65_436
const secondsOf = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
])

export function portBase(text: string): number {
  const port = wholeNumber(text)
  if (port > portBaseMax) throw new InvalidArgumentError(`The highest is ${portBaseMax}.`)
  return port
}

/** A whole number, 1 or more. */
export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Write a whole number, 1 or more.')
  return Number(text)
}

/** How many gateways. */
export function gateways(text: string): number {
  return upTo(gatewaysMax, text)
}

/** How many workers. */
export function workers(text: string): number {
  return upTo(workersMax, text)
}

/** How many TaskManagers. */
export function taskManagers(text: string): number {
  return upTo(taskManagersMax, text)
}

function upTo(max: number, text: string): number {
  const count = wholeNumber(text)
  if (count > max) throw new InvalidArgumentError(`The most are ${max}.`)
  return count
}

/** `30s`, `15m`, `1h`, `7d` in seconds. */
export function durationSeconds(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? []
  const seconds = Number(amount) * (secondsOf.get(unit) ?? 0)
  if (seconds === 0) throw new InvalidArgumentError('Write a number and s, m, h or d, as in 60s.')
  return seconds
}

/** One more word behind those before it. */
export function words(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

/** One more scope behind those before it. */
export function scopes(text: string, before: readonly string[] = []): string[] {
  if (!parseScope(text)) throw new InvalidArgumentError('Write it as in events:read:order.*')
  return [...before, text]
}
