/** Everything that can be said of the code without running it. Prints a line a tool; ends with 1 when one of them objects. */
import { spawn } from 'node:child_process'

const tools: readonly [string, string, readonly string[]][] = [
  ['types', 'tsc', ['--project', '.']],
  ['lint', 'eslint', ['.', '--max-warnings', '0']],
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
  [
    'boundaries',
    'depcruise',
    ['packages', 'apps', 'examples', 'ops', 'test', 'bench', '--config', '.dependency-cruiser.cjs'],
  ],
  ['dead code', 'knip', ['--no-progress']],
  ['tested only', 'knip', ['--no-progress', '--production']],
  ['lock file', 'node', ['scripts/lock-file.ts']],
]

let failed = 0
for (const [name, tool, args] of tools) {
  const since = performance.now()
  const { code, output } = await run(`node_modules/.bin/${tool}`, args)
  if (code !== 0) failed += 1
  const seconds = ((performance.now() - since) / 1000).toFixed(1)
  console.log(`${code === 0 ? '✓' : '✗'} ${name.padEnd(12)} ${seconds} s`)
  if (code !== 0) console.log(output)
}
console.log(failed === 0 ? 'check: all clean' : `check: ${failed} of ${tools.length} object`)
process.exitCode = failed === 0 ? 0 : 1

function run(file: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}
