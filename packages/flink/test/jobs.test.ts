import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tumbling } from '@millrace/core/window'
import { describe, expect, onTestFinished, test } from 'vitest'
import { compilePipeline } from '../src/compile.ts'
import { intendedJobs, keepIntent, readIntent } from '../src/intent.ts'
import {
  awaitCluster,
  awaitRunning,
  beginAnew,
  ensureJob,
  listJobs,
  requireSlots,
  resumeJob,
  stop,
  stopByHand,
  submit,
} from '../src/jobs.ts'
import {
  type Answer,
  answering,
  type Asked,
  configWith,
  containing,
  detail,
  exceptions,
  jobId,
  overview,
  overviewOf,
} from './flink-answers.ts'
import { environment, spendPerCustomer } from './pipelines.ts'

const startedId = '11111111111111111111111111111111'
const running = detail('RUNNING', ['RUNNING'])

/** A gateway that starts a job with this id, whatever the statements. */
function gateway(id: unknown): Record<string, Answer> {
  const results = { columns: [{ name: 'job id' }], data: [{ kind: 'INSERT', fields: [id] }] }
  return {
    'POST /v1/sessions': { body: { sessionHandle: 's1' } },
    'POST /v1/sessions/s1/statements': { body: { operationHandle: 'o1' } },
    'GET /v1/sessions/s1/operations/o1/result/0?rowFormat=JSON': { body: { resultType: 'EOS', results } },
    'DELETE /v1/sessions/s1': { body: {} },
  }
}

async function cluster(answers: Readonly<Record<string, Answer | readonly Answer[]>>) {
  const { url, asked } = await answering(answers)
  return { at: { url, sqlGatewayUrl: url }, asked }
}

/** An environment of this test's own, with a checkpoint of the pipeline where one is named. */
async function environmentWith(checkpoint?: string) {
  const checkpointDirectory = await mkdtemp(join(tmpdir(), 'jobs-'))
  onTestFinished(() => rm(checkpointDirectory, { recursive: true }))
  if (checkpoint !== undefined) {
    const path = join(checkpointDirectory, spendPerCustomer.name, checkpoint)
    await mkdir(path, { recursive: true })
    await writeFile(join(path, '_metadata'), '')
  }
  return { ...environment, checkpointDirectory }
}

function statementsOf(asked: readonly Asked[]): string[] {
  return asked.filter(({ path }) => path.endsWith('/statements')).map(({ body }) => body)
}

describe('making sure that a pipeline runs', () => {
  test('leaves the job alone that is this pipeline', async () => {
    const own = await environmentWith()
    const { fingerprint } = compilePipeline(spendPerCustomer, own)
    const { at, asked } = await cluster({
      'GET /jobs/overview': overview('RUNNING'),
      [`GET /jobs/${jobId}/config`]: configWith(fingerprint),
    })
    expect(await ensureJob(at, spendPerCustomer, own)).toEqual({ action: 'unchanged', jobId })
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'GET'])
  })

  test('starts a missing one from its newest checkpoint, which Flink takes over', async () => {
    const own = await environmentWith(`${jobId}/chk-12`)
    const { at, asked } = await cluster({
      ...gateway(startedId),
      'GET /jobs/overview': { body: { jobs: [overviewOf('FAILED'), overviewOf('RUNNING', 'another')] } },
      [`GET /jobs/${startedId}`]: running,
    })
    const restoredFrom = join(own.checkpointDirectory, spendPerCustomer.name, jobId, 'chk-12')
    const ensured = await ensureJob(at, spendPerCustomer, own)
    expect(ensured).toEqual({ action: 'submitted', jobId: startedId, restoredFrom })
    const [path, mode] = statementsOf(asked)
    expect(path).toContain(`'execution.state-recovery.path' = 'file://${restoredFrom}'`)
    expect(mode).toContain("'execution.state-recovery.claim-mode' = 'CLAIM'")
  })

  test('starts the first one of its kind from the beginning', async () => {
    const own = await environmentWith()
    const { at, asked } = await cluster({
      ...gateway(startedId),
      'GET /jobs/overview': { body: { jobs: [] } },
      [`GET /jobs/${startedId}`]: [detail('CREATED', []), running],
    })
    const ensured = await ensureJob(at, spendPerCustomer, own)
    expect(ensured).toEqual({ action: 'submitted', jobId: startedId, restoredFrom: undefined })
    expect(statementsOf(asked).join()).not.toContain('state-recovery')
  })

  test('stops every job of a changed pipeline with a savepoint before it starts the new one', async () => {
    const second = '22222222222222222222222222222222'
    const saved = { body: { status: { id: 'COMPLETED' }, operation: { location: 'file:/data/savepoint-1' } } }
    const { at, asked } = await cluster({
      ...gateway(startedId),
      'GET /jobs/overview': { body: { jobs: [overviewOf('RUNNING'), overviewOf('RUNNING', undefined, second)] } },
      [`POST /jobs/${jobId}/stop`]: { status: 202, body: { 'request-id': 't1' } },
      [`GET /jobs/${jobId}/savepoints/t1`]: saved,
      [`POST /jobs/${second}/stop`]: { status: 202, body: { 'request-id': 't2' } },
      [`GET /jobs/${second}/savepoints/t2`]: saved,
      [`GET /jobs/${startedId}`]: running,
    })
    const own = await environmentWith()
    expect(await ensureJob(at, spendPerCustomer, own)).toMatchObject({ action: 'replaced', jobId: startedId })
    const paths = asked.map(({ method, path }) => `${method} ${path}`)
    const started = paths.indexOf('POST /v1/sessions')
    expect(paths.indexOf(`POST /jobs/${jobId}/stop`)).toBeLessThan(started)
    expect(paths.indexOf(`GET /jobs/${second}/savepoints/t2`)).toBeLessThan(started)
  })
})

describe('a pipeline whose state of before does not fit', () => {
  const migration =
    'org.apache.flink.util.StateMigrationException: The new state serializer must not be incompatible with the old state serializer'
  const stacktrace = `java.lang.Exception: Exception while creating StreamOperatorStateContext.\nCaused by: ${migration}\n`
  const failing = { body: { exceptionHistory: { entries: [{ stacktrace, timestamp: 1 }] } } }

  test('is stopped when its tasks cannot take it up, and the error says what to do', async () => {
    const own = await environmentWith(`${jobId}/chk-12`)
    const { at, asked } = await cluster({
      ...gateway(startedId),
      'GET /jobs/overview': [
        { body: { jobs: [] } },
        overview('RESTARTING', undefined, startedId),
        { body: { jobs: [] } },
      ],
      [`GET /jobs/${startedId}`]: [
        detail('CREATED', []),
        detail('RESTARTING', ['CANCELED']),
        detail('CANCELED', ['CANCELED']),
      ],
      [`GET /jobs/${startedId}/exceptions`]: failing,
      [`PATCH /jobs/${startedId}`]: { status: 202, body: {} },
    })
    await expect(ensureJob(at, spendPerCustomer, own)).rejects.toMatchObject({
      code: 'flink.refused',
      message: containing('"millrace pipelines restart spend-per-customer --from-beginning"'),
    })
    expect(asked.map(({ method }) => method)).toContain('PATCH')
    expect(await intendedJobs(own.checkpointDirectory)).toEqual(new Map())
  })

  test('is not started when Flink does not find its operators, and the error says what to do', async () => {
    const own = await environmentWith(`${jobId}/chk-12`)
    const rollback =
      'java.lang.IllegalStateException: Failed to rollback to checkpoint/savepoint file:/x. Cannot map checkpoint/savepoint state for operator 1f to the new program'
    const { at } = await cluster({
      ...gateway(startedId),
      'POST /v1/sessions/s1/statements': {
        status: 500,
        body: { errors: ['Internal error', `Caused by: ${rollback}`] },
      },
      'GET /jobs/overview': { body: { jobs: [] } },
    })
    await expect(ensureJob(at, spendPerCustomer, own)).rejects.toThrow(
      /has changed so that .* does not fit.*Failed to rollback.*order\.placed/,
    )
    expect(await intendedJobs(own.checkpointDirectory)).toEqual(new Map())
  })

  test('is refused where Flink would take it, and its job is left as it is', async () => {
    const own = await environmentWith(`${jobId}/chk-12`)
    const { checkpointDirectory } = compilePipeline(spendPerCustomer, own)
    const { at, asked } = await cluster({
      'GET /jobs/overview': overview('RUNNING'),
      [`GET /jobs/${jobId}/config`]: configWith('another'),
    })
    const { counting } = compilePipeline({ ...spendPerCustomer, window: tumbling('2 hours') }, own)
    await keepIntent(checkpointDirectory, { statements: ['EXECUTE …'], counting })
    await expect(ensureJob(at, spendPerCustomer, own)).rejects.toThrow(
      /has changed so that .* does not fit: its job is left as it is\..*--from-beginning/,
    )
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'GET'])
    expect(await readIntent(checkpointDirectory)).toMatchObject({ statements: ['EXECUTE …'], counting })
  })

  test('is started from the beginning of its topic when it is to begin anew', async () => {
    const own = await environmentWith(`${jobId}/chk-12`)
    await beginAnew(spendPerCustomer.name, own.checkpointDirectory)
    const { at, asked } = await cluster({
      ...gateway(startedId),
      'GET /jobs/overview': { body: { jobs: [] } },
      [`GET /jobs/${startedId}`]: running,
    })
    expect(await ensureJob(at, spendPerCustomer, own)).toMatchObject({ restoredFrom: undefined })
    expect(statementsOf(asked).join()).not.toContain('state-recovery')
  })
})

test('a job that a crash has ended goes on from its newest checkpoint as it was submitted, not as the pipeline is now', async () => {
  const own = await environmentWith(`${jobId}/chk-12`)
  const { at, asked } = await cluster({ ...gateway(startedId), [`GET /jobs/${startedId}`]: running })
  const intent = { statements: ['EXECUTE STATEMENT SET …'], counting: undefined, stoppedMs: undefined, anewMs: 0 }
  await resumeJob(at, spendPerCustomer.name, own.checkpointDirectory, intent)
  const statements = statementsOf(asked)
  expect(statements).toHaveLength(3)
  expect(statements[0]).toContain('chk-12')
  expect(statements[2]).toBe('{"statement":"EXECUTE STATEMENT SET …"}')
})

describe('stopping a pipeline', () => {
  test('by hand is kept until it is ensured again', async () => {
    const own = await environmentWith()
    const { name } = spendPerCustomer
    const { fingerprint, checkpointDirectory } = compilePipeline(spendPerCustomer, own)
    const { at } = await cluster({
      'GET /jobs/overview': [overview('RUNNING'), { body: { jobs: [] } }, overview('RUNNING')],
      [`GET /jobs/${jobId}/config`]: configWith(fingerprint),
      [`POST /jobs/${jobId}/stop`]: { status: 202, body: { 'request-id': 't1' } },
      [`GET /jobs/${jobId}/savepoints/t1`]: {
        body: { status: { id: 'COMPLETED' }, operation: { location: 'file:/data/savepoint-1' } },
      },
    })
    expect(await stopByHand(at, name, own.checkpointDirectory)).toEqual({ ran: true, savepoint: '/data/savepoint-1' })
    const { stoppedMs } = await readIntent(checkpointDirectory)
    expect(stoppedMs).toBeGreaterThan(0)
    expect(await stopByHand(at, name, own.checkpointDirectory)).toEqual({ ran: false, savepoint: undefined })
    expect(await readIntent(checkpointDirectory)).toMatchObject({ stoppedMs })
    await ensureJob(at, spendPerCustomer, own)
    expect((await readIntent(checkpointDirectory)).stoppedMs).toBeUndefined()
    expect([...(await intendedJobs(own.checkpointDirectory)).keys()]).toEqual([name])
  })

  test('by hand is not kept when it could not be stopped', async () => {
    const own = await environmentWith()
    const { at } = await cluster({
      'GET /jobs/overview': overview('RESTARTING'),
      [`PATCH /jobs/${jobId}`]: { status: 500, body: { errors: ['no'] } },
    })
    await expect(stopByHand(at, spendPerCustomer.name, own.checkpointDirectory)).rejects.toThrow('no')
    const { checkpointDirectory } = compilePipeline(spendPerCustomer, own)
    expect((await readIntent(checkpointDirectory)).stoppedMs).toBeUndefined()
  })

  const cancelled = {
    [`PATCH /jobs/${jobId}`]: { status: 202, body: {} },
    [`GET /jobs/${jobId}`]: detail('CANCELED', ['CANCELED']),
  }

  test('cancels a job that is restarting, which can make no savepoint', async () => {
    const { at, asked } = await cluster({ 'GET /jobs/overview': overview('RESTARTING'), ...cancelled })
    await stop(at, spendPerCustomer.name, '/data')
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'PATCH', 'GET'])
  })

  test('cancels a job whose savepoint fails, because it has its newest checkpoint', async () => {
    const refused = { status: 409, body: { errors: ['checkpoint triggering task is not running'] } }
    const { at, asked } = await cluster({
      'GET /jobs/overview': overview('RUNNING'),
      [`POST /jobs/${jobId}/stop`]: refused,
      ...cancelled,
    })
    await stop(at, spendPerCustomer.name, '/data')
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'POST', 'PATCH', 'GET'])
  })

  test('leaves alone what has ended and what belongs to another pipeline', async () => {
    const body = { jobs: [overviewOf('FINISHED'), overviewOf('RUNNING', 'another')] }
    const { at, asked } = await cluster({ 'GET /jobs/overview': { body } })
    await stop(at, spendPerCustomer.name, '/data')
    expect(asked).toHaveLength(1)
    expect((await listJobs(at)).map(({ name }) => name)).toEqual(['another'])
  })
})

describe('a job that was started', () => {
  test('is refused when it ends before it runs', async () => {
    const { at } = await cluster({
      [`GET /jobs/${jobId}`]: [detail('INITIALIZING', []), detail('FAILED', ['FAILED'])],
      [`GET /jobs/${jobId}/exceptions`]: exceptions,
    })
    await expect(awaitRunning(at, jobId)).rejects.toMatchObject({
      code: 'flink.refused',
      message: containing('Not authorized to access topics: [order.placed]'),
    })
  })

  test('is refused with the cause when it restarts over and over', async () => {
    const { at } = await cluster({
      [`GET /jobs/${jobId}`]: detail('RESTARTING', ['CANCELED']),
      [`GET /jobs/${jobId}/exceptions`]: exceptions,
    })
    await expect(awaitRunning(at, jobId, 120)).rejects.toMatchObject({
      code: 'flink.refused',
      message: containing('does not run after 120 ms: org.apache.kafka.common.errors.TopicAuthorizationException'),
    })
  })

  test('is refused when the cluster loses it', async () => {
    const lost = { status: 404, body: { errors: ['Job not found'] } }
    const { at } = await cluster({ [`GET /jobs/${jobId}`]: [detail('CREATED', []), lost] })
    await expect(awaitRunning(at, jobId)).rejects.toMatchObject({ code: 'flink.refused' })
  })

  test('is given up when the cluster falls silent', async () => {
    const { at } = await cluster({ [`GET /jobs/${jobId}`]: 'silence' })
    await expect(awaitRunning(at, jobId, 60)).rejects.toMatchObject({ code: 'flink.unavailable' })
  })

  test.each(['OK', null, 7])('is none when the gateway answers %j instead of its id', async (id) => {
    const { at } = await cluster(gateway(id))
    const submitted = submit(at, compilePipeline(spendPerCustomer, environment))
    await expect(submitted).rejects.toMatchObject({ code: 'flink.refused' })
  })
})

describe('the slots that pipelines need', () => {
  const three = [spendPerCustomer, { ...spendPerCustomer, parallelism: 2 }]
  const slots = (total: number) => ({ body: { taskmanagers: 1, 'slots-total': total, 'slots-available': 0 } })

  test('are as many as their parallelism, together', async () => {
    const { at } = await cluster({ 'GET /overview': slots(3) })
    await expect(requireSlots(at, three, 0)).resolves.toBeUndefined()
  })

  test('may come in a while, from TaskManagers that are starting', async () => {
    const { at, asked } = await cluster({ 'GET /overview': [slots(0), slots(2), slots(4)] })
    await requireSlots(at, three)
    expect(asked).toHaveLength(3)
  })

  test('are refused where there are fewer, with the way out', async () => {
    const { at } = await cluster({ 'GET /overview': slots(2) })
    await expect(requireSlots(at, three, 60)).rejects.toMatchObject({
      code: 'flink.refused',
      message:
        'the pipelines need 3 slots, each as many as its parallelism, and Flink has 2: lower their parallelism, or start it with more TaskManagers ("millrace up --flink cluster --task-managers <n>")',
    })
  })
})

describe('a cluster whose JobManager is new', () => {
  const registered = (...ids: string[]) => ({ body: { taskmanagers: ids.map((id) => ({ id })) } })
  const busy = { status: 503, body: {} }

  test('is whole when all TaskManagers have registered and the SQL Gateway answers', async () => {
    const { at, asked } = await cluster({
      'GET /taskmanagers': [registered(), registered('one'), registered('one', 'two')],
      'GET /v1/info': [busy, { body: { productName: 'Apache Flink' } }],
    })
    await awaitCluster(at, 2, 10_000)
    expect(asked.map(({ path }) => path)).toEqual([
      ...Array.from({ length: 3 }, () => '/taskmanagers'),
      ...['/v1/info', '/taskmanagers', '/v1/info'],
    ])
  })

  test('is given up when it is not whole in time', async () => {
    const { at } = await cluster({ 'GET /taskmanagers': registered('one') })
    await expect(awaitCluster(at, 2, 60)).rejects.toMatchObject({
      code: 'flink.unavailable',
      message: containing('to gather 2 TaskManagers and a SQL Gateway'),
    })
  })

  test('is given up at once when the JobManager has gone again', async () => {
    const { at } = await cluster({ 'GET /taskmanagers': [registered('one'), busy] })
    await expect(awaitCluster(at, 2, 60_000)).rejects.toMatchObject({ code: 'flink.unavailable' })
  })
})
