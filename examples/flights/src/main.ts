/** `npm start`: the platform on this machine, and three million flights replayed through it until Ctrl-C or `--for` is over. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MillraceError } from '@millrace/core/errors'
import { javaEnvironment } from '@millrace/stack/environment'
import type { Installation } from '@millrace/stack/installation'
import { projectDirectory } from '@millrace/stack/layout'
import { runStack } from '@millrace/stack/run-stack'
import { gatewayUrl } from '@millrace/stack/servers/gateway'
import { type Options, optionsOf, usage } from './options.ts'
import alone from './alone.ts'
import platform from './platform.ts'
import type { Observer } from './observer.ts'
import { departuresPerAirport } from './pipelines.ts'
import { runFlights } from './run.ts'
import { summaryLines } from './summary.ts'
import { openTerminal, type Terminal } from './terminal.ts'
import { lineOf, viewOf } from './view.ts'

/** How often the run tells a line where it cannot draw over the last one. */
const lineMs = 5_000

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const terminal = openTerminal(process.stderr)
  const summary = await runStack(
    {
      stateDirectory: options.stateDirectory ?? resolve(projectDirectory, '.millrace'),
      portBase: options.portBase,
      brokers: 3,
      flink: options.flink,
      ...(options.taskManagers !== undefined && { taskManagers: options.taskManagers }),
      platform: options.alone ? alone : platform,
      platformFile: fileURLToPath(import.meta.resolve(options.alone ? './alone.ts' : './platform.ts')),
      java: javaEnvironment,
    },
    (running) => runFlights(running, options, observe(terminal, options)).finally(() => terminal.settle()),
    (line) => terminal.line(line),
  )
  if (summary) {
    process.stdout.write(`${options.json ? JSON.stringify(summary) : summaryLines(summary).join('\n')}\n`)
    return summary.ok ? 0 : 1
  }
  // Interrupted: what was to be judged was not.
  return options.forMs === undefined ? 0 : 1
}

function observe(terminal: Terminal, options: Options): Observer {
  let toldMs = performance.now()
  return {
    started: (installation) => {
      for (const line of whereToLook(installation)) terminal.line(line)
      if (terminal.isLive && options.forMs === undefined) terminal.line('Ctrl-C stops everything')
    },
    looked: (snapshot) => {
      if (terminal.isLive) terminal.show(viewOf(snapshot))
      else if (performance.now() - toldMs >= lineMs) {
        toldMs = performance.now()
        terminal.line(lineOf(snapshot))
      }
    },
    note: (sentence) => {
      terminal.line(sentence)
    },
  }
}

function whereToLook(installation: Installation): string[] {
  const { ports } = installation
  const url = gatewayUrl(installation)
  const latest = `${url}/v1/events/latest?topic=${departuresPerAirport.result.topic}&limit=3`
  return [
    '',
    `  API ${url}   Flink http://127.0.0.1:${ports.flinkWeb}   Connect http://127.0.0.1:${ports.connect}   Prometheus http://127.0.0.1:${ports.prometheus}`,
    '  try, in another terminal:',
    '    npx millrace status',
    `    npx millrace tail ${departuresPerAirport.result.topic}`,
    `    curl -H "authorization: Bearer $(npx millrace token --scope 'events:read:*')" '${latest}'`,
    '',
  ]
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof MillraceError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = error.code === 'config.invalid' ? 2 : 1
}
