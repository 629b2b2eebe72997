/** `millrace` as a user gives it, for the running platform and a pipeline more. */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { projectDirectory } from '@millrace/stack/layout'
import { stack } from '@millrace/testkit/fixture'
import * as z from 'zod'

const cli = resolve(projectDirectory, 'apps/cli/src/main.ts')

async function run(platform: string, words: readonly string[]): Promise<string> {
  const all = [cli, ...words, '--state', stack().stateDirectory, '--platform', platform]
  return (await promisify(execFile)(process.execPath, all)).stdout
}

/** @param definition which of the files beside this one says what the platform is */
export async function millrace(
  definition: 'turnover' | 'averaged' | 'slid' | 'troubled',
  ...words: string[]
): Promise<string> {
  return run(resolve(import.meta.dirname, `with-${definition}.ts`), words)
}

/** Leaves the platform as other tests expect it. */
export async function applyAsBefore(): Promise<void> {
  await run(resolve(projectDirectory, 'packages/testkit/src/platform.ts'), ['apply'])
}

const listed = z.array(
  z.object({
    name: z.string(),
    state: z.string(),
    from: z.string(),
    to: z.string(),
    since: z.iso.datetime().optional(),
    watermark: z.iso.datetime().optional(),
    lag: z.int().optional(),
    backpressure: z.enum(['ok', 'low', 'high']).optional(),
    records: z.record(z.string(), z.int()).optional(),
    restarts: z.int().optional(),
    checkpoints: z
      .object({ completed: z.int(), newest: z.object({ path: z.string(), ageMs: z.number() }).optional() })
      .optional(),
    partitions: z.array(z.object({ partition: z.int(), lag: z.int(), watermark: z.iso.datetime().optional() })),
  }),
)

/** What `pipelines list` tells of one. */
export async function stateOf(name: string, definition: 'turnover' | 'troubled' = 'turnover') {
  const found = listed.parse(JSON.parse(await millrace(definition, 'pipelines', 'list', '--json')))
  return found.find((one) => one.name === name)
}
