// From a bare checkout to a running command. Plain JavaScript, because it runs on whatever Node (20 or newer) is there;
// it installs what is missing and hands over to the project's own Node. Everything that it says goes to standard error.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const node = join(root, 'node_modules/node/bin/node')
const jvm = join(root, 'packages/jvm')

const commands = {
  start: { entry: 'examples/flights/src/main.ts', servers: () => true },
  cli: { entry: 'apps/cli/src/main.ts', servers: (args) => args[0] === 'up' },
  test: { entry: 'scripts/test.ts', servers: () => true },
  bench: { entry: 'bench/src/main.ts', servers: () => true },
  drills: { entry: 'packages/drills/src/main.ts', servers: () => true },
  soak: { entry: 'packages/drills/src/soak-main.ts', servers: () => true },
  differential: { entry: 'packages/flink/test/differential/main.ts', servers: () => true },
  check: { entry: 'scripts/check.ts', servers: () => false },
}

const say = (text) => process.stderr.write(`${text}\n`)

class Refusal extends Error {}

async function main() {
  const [name, ...rest] = process.argv.slice(2)
  const command = commands[name]
  if (!command) throw new Refusal(`unknown command "${name}": one of ${Object.keys(commands).join(', ')}`)
  requireNode()
  await installPackages()
  if (command.servers(rest)) await buildServers(await findJava())
  return handOver(command, rest)
}

function requireNode() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new Refusal(`Node 20 or newer is needed, this is ${process.version}: see the prerequisites in README.md`)
  }
}

async function installPackages() {
  const lock = digest([join(root, 'package-lock.json')])
  const stamp = join(root, 'node_modules/.millrace-lock')
  if (existsSync(node) && readIfThere(stamp) === lock) return
  say('installing npm packages (about 25 s, once)')
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {}, say)
  writeFileSync(stamp, lock)
}

/** Asked of the code that will start the servers, so that both look in the same places. Exits with its sentence when there is none. */
async function findJava() {
  let answer = ''
  let complaint = ''
  const child = spawn(node, [join(root, 'apps/cli/src/main.ts'), 'doctor', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.on('data', (chunk) => (answer += chunk))
  child.stderr.on('data', (chunk) => (complaint += chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Refusal(complaint.trim())
  return JSON.parse(answer)
}

async function buildServers({ javaHome }) {
  const inputs = filesBelow(jvm).filter(
    (file) => /(pom\.xml|\.java|META-INF)/.test(file) && !/[/\\](target|dist|src[/\\]test)[/\\]/.test(file),
  )
  const sources = digest(inputs)
  const stamp = join(jvm, 'dist/.millrace-sources')
  if (readIfThere(stamp) === sources) return
  say('fetching the servers from Maven Central and building the Java parts (1 to 3 minutes, 580 MB, once)')
  const since = Date.now()
  let fetched = 0
  await run('mvn', ['-B', '-f', join(jvm, 'pom.xml'), '-DskipTests', 'package'], { JAVA_HOME: javaHome }, (line) => {
    if (line.startsWith('Downloaded')) fetched += 1
    const shown = /ERROR/.test(line) || /Building .*\[\d+\/\d+\]/.test(line)
    if (shown)
      say(`  ${Math.round((Date.now() - since) / 1000)} s, ${fetched} files fetched: ${line.replace(/^\[\w+\] /, '')}`)
  })
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, sources)
}

function handOver({ entry }, rest) {
  const path = `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH}`
  const child = spawn(node, [join(root, entry), ...rest], { stdio: 'inherit', env: { ...process.env, PATH: path } })
  // The child has the terminal's signals too; this process only waits for its end, and passes on what reached it alone.
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(signal ? 1 : code))
  })
}

function run(file, args, environment, onLine) {
  const child = spawn(file, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine)
  return new Promise((resolve, reject) => {
    child.on('error', () => reject(new Refusal(`"${file}" was not found: see the prerequisites in README.md`)))
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${file} ${args[0]} failed with exit code ${code}`)),
    )
  })
}

function filesBelow(directory) {
  return readdirSync(directory, { recursive: true })
    .map((name) => join(directory, name))
    .filter((file) => statSync(file).isFile())
}

function digest(files) {
  const hash = createHash('sha256')
  for (const file of [...files].sort()) hash.update(relative(root, file)).update(readFileSync(file))
  return hash.digest('hex')
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

try {
  process.exitCode = await main()
} catch (error) {
  say(error.message)
  process.exitCode = error instanceof Refusal ? 2 : 1
}
