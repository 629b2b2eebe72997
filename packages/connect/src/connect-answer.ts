import { MillraceError } from '@millrace/core/errors'
import { isJsonObject } from '@millrace/core/json'

/** A state as Connect names it; any other is `UNKNOWN`. */
export type ConnectState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FAILED' | 'RESTARTING' | 'UNKNOWN'

export type TaskStatus = {
  readonly id: number
  readonly state: ConnectState
  /** The stack trace of the failure. */
  readonly trace: string | undefined
}

export type ConnectorStatus = {
  readonly name: string
  readonly state: ConnectState
  readonly trace: string | undefined
  readonly tasks: readonly TaskStatus[]
}

/** How much of a connector has failed: itself, and each of its tasks. */
export function countFailed(status: ConnectorStatus | undefined): number {
  return status ? [status, ...status.tasks].filter(({ state }) => state === 'FAILED').length : 0
}

const states = ['UNASSIGNED', 'RUNNING', 'PAUSED', 'STOPPED', 'FAILED', 'RESTARTING'] as const

/** Reads `GET /connectors`. Like all of these it throws MillraceError `connect.refused` on another shape. */
export function parseNames(body: unknown): string[] {
  if (!Array.isArray(body)) throw malformed('a list of names')
  return body.map(String)
}

/** Reads `GET /connectors/{name}/config`. */
export function parseConfig(body: unknown): Record<string, string> {
  if (!isJsonObject(body)) throw malformed('a configuration')
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, textOf(value) ?? '']))
}

/** Reads `GET /connectors/{name}/status`. */
export function parseStatus(body: unknown): ConnectorStatus {
  if (!isJsonObject(body) || !Array.isArray(body['tasks'])) throw malformed('a status')
  return {
    name: textOf(body['name']) ?? '',
    ...stateOf(body['connector']),
    tasks: body['tasks'].map((task: unknown) => ({ id: idOf(task), ...stateOf(task) })),
  }
}

/** What Connect says about a refused call. */
export function parseMessage(body: unknown): string {
  return (isJsonObject(body) ? textOf(body['message']) : undefined) ?? 'no message'
}

function stateOf(value: unknown): Pick<TaskStatus, 'state' | 'trace'> {
  if (!isJsonObject(value)) return { state: 'UNKNOWN', trace: undefined }
  return { state: states.find((state) => state === value['state']) ?? 'UNKNOWN', trace: textOf(value['trace']) }
}

function idOf(task: unknown): number {
  return isJsonObject(task) ? Number(task['id']) : Number.NaN
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function malformed(expected: string): MillraceError {
  return new MillraceError('connect.refused', `the answer is not one of Kafka Connect's REST API: expected ${expected}`)
}
