import { expect, test, vi } from 'vitest'
import { type MainJob, startMainJob } from './main-job.ts'

const readyTimeoutMs = 300_000
const backTimeoutMs = 90_000
/** Long enough that every server is killed, and back, while events flow. */
const replaySeconds = 200
const verdictTimeoutMs = 420_000
const testTimeoutMs = readyTimeoutMs + replaySeconds * 1_000 + verdictTimeoutMs

test(
  'the main job survives the death of each of its servers, says so, and its verdict is true',
  async () => {
    const job = await startMainJob('--for', `${replaySeconds}s`, '--rate', '1500', '--alone', '--port-base', '28000')
    await job.said('ready in', readyTimeoutMs)
    const names = (await job.services()).map(({ name }) => name)
    expect(names).toEqual(
      expect.arrayContaining(['kafka-1', 'kafka-2', 'kafka-3', 'registry', 'flink', 'connect', 'gateway', 'monitor']),
    )
    await job.said('acknowledged', backTimeoutMs)
    for (const name of names) await killAndAwait(job, name)

    const { exitCode, summary } = await job.ended(testTimeoutMs)
    expect(summary.verdict.checks.filter(({ ok }) => !ok)).toEqual([])
    expect(summary).toMatchObject({ ok: true, settled: true, verdict: { ok: true } })
    expect(exitCode).toBe(0)
    expect(Object.keys(summary.restarts).sort()).toEqual([...names].sort())
    expect(summary.verdict.findings.acknowledged).toBe(summary.replay.acknowledged)
    expect(summary.replay.acknowledged).toBeGreaterThan(10_000)
    expect(summary.verdict.findings.results).toBeGreaterThan(100)
  },
  testTimeoutMs,
)

test(
  'pipelines in windows of each kind, one that corrects and one that joins give what SQL over the topics gives',
  async () => {
    const job = await startMainJob('--for', '60s', '--rate', '500', '--port-base', '28000')
    await job.said('ready in', readyTimeoutMs)
    const { exitCode, summary } = await job.ended(testTimeoutMs)
    expect(summary.verdict.checks.filter(({ ok }) => !ok)).toEqual([])
    expect(summary).toMatchObject({ ok: true, settled: true, restarts: {}, verdict: { ok: true } })
    expect(exitCode).toBe(0)
    const compared = new Map(summary.verdict.checks.map(({ name, compared: count }) => [name, count]))
    for (const kind of ['windows', 'sliding', 'sessions', 'corrections', 'states', 'revisions']) {
      expect(compared.get(`${kind}-equal-recomputation`), kind).toBeGreaterThan(100)
    }
  },
  testTimeoutMs,
)

async function killAndAwait(job: MainJob, name: string): Promise<void> {
  const before = (await job.services()).find((service) => service.name === name)
  if (before?.pid === undefined || before.pid === null) throw new Error(`${name} does not run`)
  process.kill(before.pid, 'SIGKILL')
  await job.said(`${name} died (SIGKILL)`, backTimeoutMs)
  await vi.waitUntil(
    async () => {
      const now = (await job.services()).find((service) => service.name === name)
      return now?.state === 'running' && now.restarts > before.restarts
    },
    { timeout: backTimeoutMs, interval: 300 },
  )
}
