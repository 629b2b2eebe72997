/**
 * Every correctness test, in one go: unit tests, the Java's own, integration tests against one running stack, and the main job.
 * Ends with the line `N passed, N failed`.
 */
import { spawn } from 'node:child_process'
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { doctor } from '../apps/cli/src/doctor.ts'
import { javaEnvironment } from '../packages/stack/src/environment.ts'

type Counts = { readonly passed: number; readonly failed: number }

const projects: Readonly<Record<string, () => Promise<Counts>>> = {
  unit: () => runVitest('unit'),
  java: runMaven,
  integration: () => runVitest('integration'),
  system: () => runVitest('system'),
}
const chosen = process.argv.slice(2)
const directory = await mkdtemp(join(tmpdir(), 'millrace-test-'))
const results: Counts[] = []
for (const [project, runProject] of Object.entries(projects)) {
  if (chosen.length === 0 || chosen.includes(project)) results.push(await runProject())
}
await rm(directory, { recursive: true })

const passed = results.reduce((sum, result) => sum + result.passed, 0)
const failed = results.reduce((sum, result) => sum + result.failed, 0)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

async function runVitest(project: string): Promise<Counts> {
  const report = join(directory, `${project}.json`)
  const code = await run('node_modules/.bin/vitest', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ])
  return finished(code, countsOf(JSON.parse(await readFile(report, 'utf8').catch(() => '{}'))))
}

async function runMaven(): Promise<Counts> {
  const reports = 'packages/jvm/millrace-flink/target/surefire-reports'
  await rm(reports, { recursive: true, force: true })
  const { javaHome } = await doctor(javaEnvironment)
  const maven = ['mvn', '-B', '-q', '-f', 'packages/jvm/pom.xml', '-pl', 'millrace-flink', 'test']
  const code = await run('env', [`JAVA_HOME=${javaHome}`, ...maven])
  const counts = { passed: 0, failed: 0 }
  for await (const file of glob(`${reports}/TEST-*.xml`)) {
    const suite = /<testsuite\b[^>]*>/.exec(await readFile(file, 'utf8'))?.[0] ?? ''
    const number = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0)
    const failed = number('errors') + number('failures')
    counts.failed += failed
    counts.passed += number('tests') - failed - number('skipped')
  }
  console.log(`java: ${counts.passed} of ${counts.passed + counts.failed} tests pass`)
  return finished(code, counts)
}

/** A run that broke off before it could count is one failure, never a success. */
function finished(code: number | null, counts: Counts): Counts {
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
