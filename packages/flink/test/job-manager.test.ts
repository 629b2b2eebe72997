import { describe, expect, test } from 'vitest'
import { cancel, failureOf, fingerprintOf, jobs, progressOf, stopWithSavepoint } from '../src/job-manager.ts'
import { request, rootCause } from '../src/rest.ts'
import {
  type Answer,
  answering,
  configWith,
  containing,
  detail,
  exceptions,
  jobId,
  overview,
  overviewOf,
} from './flink-answers.ts'

const job = { id: jobId, name: 'spend-per-customer', state: 'RUNNING', startedMs: 1_900_000_000_000 } as const
const lost: Answer = {
  status: 404,
  body: {
    errors: [
      'org.apache.flink.runtime.rest.NotFoundException: Job not found\n\tat a.B.c(B.java:1)\nCaused by: org.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job (8f4c)\n\t... 2 more\n',
    ],
  },
}

describe('the jobs of a cluster', () => {
  test('are those that it lists, without what it leaves out or calls by an unknown name', async () => {
    const body = { jobs: [overviewOf('RUNNING'), { ...overviewOf('RUNNING'), jid: null }, overviewOf('DREAMING'), 7] }
    const { url } = await answering({ 'GET /jobs/overview': { body } })
    expect(await jobs(url)).toEqual([job])
  })

  test('are none of a cluster that has none', async () => {
    const { url } = await answering({ 'GET /jobs/overview': { body: { jobs: [] } } })
    expect(await jobs(url)).toEqual([])
  })

  test('carry the fingerprint of their pipeline', async () => {
    const path = `GET /jobs/${jobId}/config`
    expect(await fingerprintOf((await answering({ [path]: configWith('abc') })).url, job)).toBe('abc')
    const foreign = { body: { jid: jobId, 'execution-config': { 'user-config': {} } } }
    expect(await fingerprintOf((await answering({ [path]: foreign })).url, job)).toBeUndefined()
    expect(await fingerprintOf((await answering({ [path]: { body: {} } })).url, job)).toBeUndefined()
  })
})

describe('a job', () => {
  test.each<[string, string, readonly string[]]>([
    ['running', 'RUNNING', ['RUNNING', 'RUNNING']],
    ['starting', 'RUNNING', ['RUNNING', 'INITIALIZING']],
    ['starting', 'RUNNING', []],
    ['restarting', 'RESTARTING', ['RUNNING']],
    ['restarting', 'FAILING', ['FAILED', 'CANCELING']],
    ['stopping', 'CANCELLING', ['CANCELING']],
    ['starting', 'CREATED', ['CREATED']],
  ])('is %s when it is %s with tasks %j', async (kind, state, tasks) => {
    const { url } = await answering({ [`GET /jobs/${jobId}`]: detail(state, tasks) })
    expect(await progressOf(url, jobId)).toEqual({ kind })
  })

  test.each(['FAILED', 'CANCELED', 'FINISHED', 'SUSPENDED'])('has ended when it is %s, and why', async (state) => {
    const { url } = await answering({
      [`GET /jobs/${jobId}`]: detail(state, ['FAILED']),
      [`GET /jobs/${jobId}/exceptions`]: exceptions,
    })
    const reason =
      'org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized to access topics: [order.placed]'
    expect(await progressOf(url, jobId)).toEqual({ kind: 'ended', reason })
  })

  test('that has never failed gives no reason', async () => {
    const none = { body: { exceptionHistory: { entries: [], truncated: false } } }
    const { url } = await answering({ [`GET /jobs/${jobId}/exceptions`]: none })
    expect(await failureOf(url, jobId)).toBe('Flink gives no reason')
  })

  test('that the cluster has lost is refused with its reason', async () => {
    const { url } = await answering({ [`GET /jobs/${jobId}`]: lost })
    const message = containing(
      '404: org.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job',
    )
    await expect(progressOf(url, jobId)).rejects.toMatchObject({ code: 'flink.refused', message })
  })
})

describe('stopping a job', () => {
  const [stop, state] = [`POST /jobs/${jobId}/stop`, `GET /jobs/${jobId}/savepoints/t1`] as const
  const triggered = { status: 202, body: { 'request-id': 't1' } }
  const inProgress = { body: { status: { id: 'IN_PROGRESS' }, operation: null } }

  test('waits for its savepoint and tells where it is', async () => {
    const done = { body: { status: { id: 'COMPLETED' }, operation: { location: 'file:/data/savepoint-8f4cd0-1' } } }
    const { url, asked } = await answering({ [stop]: triggered, [state]: [inProgress, done] })
    expect(await stopWithSavepoint(url, jobId, '/data', 5_000)).toBe('file:/data/savepoint-8f4cd0-1')
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ targetDirectory: 'file:///data', drain: false })
  })

  test('says why there is no savepoint', async () => {
    const cause = { class: 'x', 'stack-trace': 'a.B: outer\nCaused by: java.io.IOException: disk full\n' }
    const failed = { body: { status: { id: 'COMPLETED' }, operation: { 'failure-cause': cause } } }
    const { url } = await answering({ [stop]: triggered, [state]: failed })
    await expect(stopWithSavepoint(url, jobId, '/data', 5_000)).rejects.toMatchObject({
      code: 'flink.refused',
      message: containing('java.io.IOException: disk full'),
    })
  })

  test('ends by its deadline', async () => {
    const { url } = await answering({ [stop]: triggered, [state]: inProgress })
    await expect(stopWithSavepoint(url, jobId, '/data', 120)).rejects.toMatchObject({
      code: 'flink.unavailable',
      message: `Flink took longer than 120 ms to stop job ${jobId}`,
    })
  })

  test('ends by its deadline when the server falls silent', async () => {
    const { url } = await answering({ [stop]: triggered, [state]: 'silence' })
    const since = performance.now()
    await expect(stopWithSavepoint(url, jobId, '/data', 120)).rejects.toMatchObject({ code: 'flink.unavailable' })
    expect(performance.now() - since).toBeLessThan(5_000)
  })
})

test('cancelling a job waits until it has ended', async () => {
  const { url, asked } = await answering({
    [`PATCH /jobs/${jobId}`]: { status: 202, body: {} },
    [`GET /jobs/${jobId}`]: [detail('CANCELLING', ['CANCELING']), detail('CANCELED', ['CANCELED'])],
  })
  await cancel(url, jobId, 5_000)
  expect(asked.map(({ method }) => method)).toEqual(['PATCH', 'GET', 'GET'])
})

describe('an answer', () => {
  const ask = async (answer: Answer) => request(new URL('/x', (await answering({ 'GET /x': answer })).url), 'GET')

  test('without a body is an empty object', async () => {
    expect(await ask({ status: 202, body: '' })).toEqual({})
  })

  test.each([400, 404, 409, 500])('with status %d is a refusal', async (status) => {
    await expect(ask({ status, body: { errors: ['no'] } })).rejects.toMatchObject({
      code: 'flink.refused',
      retryable: false,
      message: `Flink answered GET /x with ${status}: no`,
    })
  })

  test.each([502, 503, 504])('with status %d may come later', async (status) => {
    await expect(ask({ status, body: { errors: ['leader election'] } })).rejects.toMatchObject({
      code: 'flink.unavailable',
      retryable: true,
    })
  })

  test.each(['<html>', '[]', '7', 'null'])('that is %s is none of Flink', async (body) => {
    await expect(ask({ body })).rejects.toMatchObject({ code: 'flink.refused' })
  })

  test('that does not come is none', async () => {
    const { url } = await answering({ 'GET /x': 'silence' })
    const answer = request(new URL('/x', url), 'GET', undefined, 50)
    await expect(answer).rejects.toMatchObject({ code: 'flink.unavailable', message: containing(url) })
  })

  test('from where nothing listens is none', async () => {
    await expect(jobs('http://127.0.0.1:1')).rejects.toMatchObject({ code: 'flink.unavailable' })
    const { url } = await answering({ 'GET /jobs/overview': overview('RUNNING') })
    expect(await jobs(url)).toHaveLength(1)
  })
})

test.each([
  ['', 'no reason given'],
  ['one line', 'one line'],
  ['\n a.B: first\n\tat c.D.e(D.java:1)\n', 'a.B: first'],
  ['a.B: first\nCaused by: c.D: second\n\t... 3 more\nCaused by: e.F: third\n\tat x', 'e.F: third'],
])('the root cause of %j is %j', (trace, cause) => {
  expect(rootCause(trace)).toBe(cause)
})
