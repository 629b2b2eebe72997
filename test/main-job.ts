import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { readRecord, type ServiceRecord } from '@millrace/stack/run-folder'
import { layoutOf, projectDirectory } from '@millrace/stack/layout'
import { onTestFinished, vi } from 'vitest'
import * as z from 'zod'

/** The main job as its own process, as `npm start` runs it, in a state folder of its own. */
export type MainJob = {
  /** What it has said on standard error so far. */
  log(): string
  /** Waits for a sentence on standard error. */
  said(sentence: string, timeoutMs: number): Promise<void>
  /** The servers by the record in the run folder. */
  services(): Promise<readonly ServiceRecord[]>
  /** Waits for its end. */
  ended(timeoutMs: number): Promise<{ readonly exitCode: number | null; readonly summary: JobSummary }>
}

/** The members of the summary that tests look at. */
const jobSummary = z.object({
  ok: z.boolean(),
  settled: z.boolean(),
  replay: z.object({ acknowledged: z.number(), retries: z.number() }),
  restarts: z.record(z.string(), z.number()),
  verdict: z.object({
    ok: z.boolean(),
    checks: z.array(
      z.object({ name: z.string(), ok: z.boolean(), compared: z.number(), firstRows: z.array(z.unknown()) }),
    ),
    findings: z.looseObject({
      acknowledged: z.number(),
      stored: z.number(),
      results: z.number(),
      warehouseRows: z.number(),
    }),
  }),
})
export type JobSummary = z.infer<typeof jobSummary>

const entry = resolve(projectDirectory, 'examples/flights/src/main.ts')
const stopTimeoutMs = 120_000

/** Starts the main job; when the test is over it is stopped, and its state deleted. */
export async function startMainJob(...options: readonly string[]): Promise<MainJob> {
  const state = await mkdtemp(join(tmpdir(), 'millrace-main-job-'))
  const child = spawn(process.execPath, [entry, '--json', '--state', state, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, log] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const closed = new Promise<number | null>((done) => child.once('close', done))
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await closed
    await rm(state, { recursive: true, force: true })
  }, stopTimeoutMs)
  return {
    log: () => log,
    said: (sentence, timeoutMs) =>
      vi
        .waitUntil(
          () => {
            if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${log}`)
            return log.includes(sentence)
          },
          { timeout: timeoutMs, interval: 200 },
        )
        .then(() => undefined),
    services: async () => (await readRecord(layoutOf(state)))?.services ?? [],
    ended: async (timeoutMs) => {
      const timer = setTimeout(() => child.kill('SIGTERM'), timeoutMs)
      const exitCode = await closed.finally(() => clearTimeout(timer))
      const parsed = jobSummary.safeParse(output === '' ? undefined : JSON.parse(output))
      if (!parsed.success) throw new Error(`it ended with ${exitCode} and no summary:\n${log}`)
      return { exitCode, summary: parsed.data }
    },
  }
}
