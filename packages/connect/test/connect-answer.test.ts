import { MillraceError } from '@millrace/core/errors'
import { describe, expect, it } from 'vitest'
import { parseConfig, parseMessage, parseNames, parseStatus } from '../src/connect-answer.ts'
import { openConnect } from '../src/connect-client.ts'

/** As Kafka Connect 4.3.1 answered. */
const status = {
  name: 'snowflake-departures',
  connector: { state: 'RUNNING', worker_id: '127.0.0.1:8083', version: '2.5.0' },
  tasks: [
    { id: 0, state: 'RUNNING', worker_id: '127.0.0.1:8083', version: '2.5.0' },
    { id: 1, state: 'FAILED', worker_id: '127.0.0.1:8083', trace: 'org.apache.kafka…' },
  ],
  type: 'sink',
}

describe('an answer of Kafka Connect', () => {
  it('gives the state of a connector and of each task, with the trace of what failed', () => {
    expect(parseStatus(status)).toEqual({
      name: 'snowflake-departures',
      state: 'RUNNING',
      trace: undefined,
      tasks: [
        { id: 0, state: 'RUNNING', trace: undefined },
        { id: 1, state: 'FAILED', trace: 'org.apache.kafka…' },
      ],
    })
  })

  it('shows a state that is not known as UNKNOWN', () => {
    expect(parseStatus({ ...status, connector: { state: 'DREAMING' } }).state).toBe('UNKNOWN')
  })

  it('gives names, configurations and messages', () => {
    expect(parseNames(['a', 'b'])).toEqual(['a', 'b'])
    expect(parseConfig({ topics: 'a' })).toEqual({ topics: 'a' })
    expect(parseMessage({ error_code: 409, message: 'rebalancing' })).toBe('rebalancing')
  })

  it.each([[[]], ['text'], [undefined]])('of another shape is refused: %j', (body) => {
    expect(() => parseStatus(body)).toThrow(MillraceError)
  })
})

it('a worker that is not there is unavailable, not refused', async () => {
  const connect = openConnect({ url: 'http://127.0.0.1:1', timeoutMs: 2_000 })
  await expect(connect.connectors()).rejects.toMatchObject({ code: 'connect.unavailable', retryable: true })
})
