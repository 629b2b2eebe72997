/** Every correctness test, in one go: unit tests, integration tests against one running stack, and the main job. Ends with the line `N passed, N failed`. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

type Counts = { readonly passed: number; readonly failed: number }

const projects = ['unit', 'integration', 'system'] as const
const chosen = process.argv.slice(2)
const directory = await mkdtemp(join(tmpdir(), 'millrace-test-'))
const results: Counts[] = []
for (const project of projects) {
  if (chosen.length === 0 || chosen.includes(project)) results.push(await runProject(project))
}
await rm(directory, { recursive: true })

const passed = results.reduce((sum, result) => sum + result.passed, 0)
const failed = results.reduce((sum, result) => sum + result.failed, 0)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

async function runProject(project: string): Promise<Counts> {
  const report = join(directory, `${project}.json`)
  const code = await run('node_modules/.bin/vitest', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ])
  const counts = countsOf(JSON.parse(await readFile(report, 'utf8').catch(() => '{}')))
  // A run that broke off before it could count is one failure, never a success.
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

function countsOf(report: unknown): Counts {
  if (typeof report !== 'object' || report === null) return { passed: 0, failed: 0 }
  const number = (value: unknown) => (typeof value === 'number' ? value : 0)
  return {
    passed: number('numPassedTests' in report && report.numPassedTests),
    failed: number('numFailedTests' in report && report.numFailedTests),
  }
}

function run(file: string, args: readonly string[]): Promise<number | null> {
  const child = spawn(file, args, { stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
}
