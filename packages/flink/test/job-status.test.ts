import { expect, test } from 'vitest'
import { statusOf } from '../src/job-status.ts'
import { type Answer, answering, detail, exceptions, jobId } from './flink-answers.ts'

const job = { id: jobId, name: 'spend-per-customer', state: 'RUNNING', startedMs: 1_900_000_000_000 } as const
const source = `/jobs/${jobId}/vertices/0`
const window = `/jobs/${jobId}/vertices/1`
const split = (partition: number) => `0.Source__records.split.order_placed-${partition}.watermark.currentWatermark`
const beforeAll = '-9223372036854775808'

/** `GET …/backpressure`, gathered at this time. */
const pressure = (at: number, level = 'ok'): Answer => ({
  body: { status: 'ok', 'backpressure-level': level, 'end-timestamp': at },
})

const checkpoints: Answer = {
  body: {
    counts: { restored: 1, total: 9, in_progress: 0, completed: 7, failed: 2 },
    latest: {
      completed: {
        ...{ id: 7, status: 'COMPLETED', state_size: 26_925, end_to_end_duration: 67 },
        latest_ack_timestamp: 1_900_000_005_000,
        external_path: 'file:/data/spend-per-customer/8f/chk-7',
      },
    },
  },
}

/** A job of a source and a window, which runs. */
function answers(...gathered: readonly Answer[]): Record<string, Answer | readonly Answer[]> {
  return {
    [`GET /jobs/${jobId}`]: detail('RUNNING', ['RUNNING', 'RUNNING']),
    [`GET /jobs/${jobId}/checkpoints`]: checkpoints,
    [`GET /jobs/${jobId}/exceptions`]: { body: { exceptionHistory: { entries: [] } } },
    [`GET /jobs/${jobId}/metrics?get=numRestarts`]: { body: [{ id: 'numRestarts', value: '3' }] },
    [`GET ${source}/backpressure`]: gathered,
    [`GET ${window}/backpressure`]: pressure(2, 'low'),
    [`GET ${source}/watermarks`]: { body: [] },
    [`GET ${window}/watermarks`]: { body: [{ id: '0.currentInputWatermark', value: '1924992078000' }] },
    [`GET ${source}/metrics`]: { body: [{ id: split(0) }, { id: split(1) }, { id: '0.numRecordsIn' }] },
    [`GET ${source}/metrics?get=${split(0)},${split(1)}`]: {
      body: [
        { id: split(1), value: '1924992078000' },
        { id: split(0), value: beforeAll },
      ],
    },
    [`GET ${window}/metrics`]: { body: [{ id: '0.numRecordsIn' }] },
  }
}

test('what a job does is put together from all that Flink tells of it, once it has gathered that anew', async () => {
  const { url } = await answering(answers(pressure(1), pressure(1), pressure(2)))
  expect(await statusOf(url, job)).toEqual({
    ...{ state: 'running', startedMs: 1_900_000_000_000, parallelism: 1, restarts: 3, lastFailure: undefined },
    checkpoints: {
      ...{ completed: 7, failed: 2 },
      newest: {
        ...{ path: '/data/spend-per-customer/8f/chk-7', bytes: 26_925, durationMs: 67 },
        completedMs: 1_900_000_005_000,
      },
    },
    ...{ watermarkMs: 1_924_992_078_000, backpressure: 'low' },
    watermarksMs: new Map([[1, 1_924_992_078_000]]),
  })
})

test('event time is not known before the first event, nor when that has none', async () => {
  for (const value of [beforeAll, '-62167219202000', '9223372036854775807']) {
    const { url } = await answering({
      ...answers(pressure(1), pressure(2)),
      [`GET ${window}/watermarks`]: { body: [{ id: '0.currentInputWatermark', value }] },
    })
    expect(await statusOf(url, job)).toMatchObject({ watermarkMs: undefined, backpressure: 'low' })
  }
})

test('of a job that is being started again there is its last failure, and no figures of the time before', async () => {
  const { url, asked } = await answering({
    ...answers(pressure(1), pressure(2)),
    [`GET /jobs/${jobId}`]: detail('RESTARTING', ['CANCELED', 'CANCELED']),
    [`GET /jobs/${jobId}/exceptions`]: exceptions,
  })
  const status = await statusOf(url, job)
  expect(status).toMatchObject({ state: 'restarting', watermarkMs: undefined, backpressure: undefined })
  expect(status.lastFailure?.reason).toContain('Not authorized to access topics')
  expect(asked.some(({ path }) => path.includes('/vertices/'))).toBe(false)
})
