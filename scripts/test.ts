/**
 * Every correctness test, in one go: unit tests, the Java tests, integration tests against one running stack, then the system tests,
 * which start stacks of their own. Ends with the line `N passed, N failed`.
 */
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
if (chosen.length === 0 || chosen.includes('java')) results.push(await runJava())
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

/** Maven's summary line counts the tests of a module: `Tests run: 12, Failures: 0, Errors: 0, Skipped: 0`. */
async function runJava(): Promise<Counts> {
  let output = ''
  const code = await run(
    'mvn',
    ['-B', '-q', '-f', 'packages/jvm/pom.xml', '-pl', 'millrace-flink', '-am', 'test'],
    (text) => (output += text),
  )
  const [run_, failures, errors, skipped] = lastSummary(output)
  const failed = failures + errors
  console.log(`java: ${run_ - failed - skipped} passed, ${failed} failed`)
  return { passed: run_ - failed - skipped, failed: code !== 0 && failed === 0 ? 1 : failed }
}

function lastSummary(output: string): [number, number, number, number] {
  const summaries = [...output.matchAll(/Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)(?!.*Time)/g)]
  const [, ran = '0', failures = '0', errors = '0', skipped = '0'] = summaries.at(-1) ?? []
  return [Number(ran), Number(failures), Number(errors), Number(skipped)]
}

function run(file: string, args: readonly string[], onOutput?: (text: string) => void): Promise<number | null> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.on('data', (chunk: Buffer) => {
    process.stdout.write(chunk)
    onOutput?.(chunk.toString())
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
}
