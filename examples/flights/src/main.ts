/** `npm start`: the platform on this machine, and three million flights replayed through it until Ctrl-C or `--for` is over. */
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { MillraceError } from '@millrace/core/errors'
import { javaEnvironment } from '@millrace/stack/environment'
import { projectDirectory } from '@millrace/stack/layout'
import { portBaseDefault } from '@millrace/stack/ports'
import { runStack, type RunningStack } from '@millrace/stack/run-stack'
import { gatewayUrl } from '@millrace/stack/servers/gateway'
import { mintToken } from '@millrace/stack/token'
import { accessToken } from './access-token.ts'
import { openDataset } from './dataset.ts'
import { openEventPost } from './event-post.ts'
import { openLedger } from './ledger.ts'
import platform, { flightDeparted } from './platform.ts'
import { openPositions } from './positions.ts'
import { replay, replayDefaults } from './replay.ts'
import { type ReplayNumbers, replayStatistics } from './statistics.ts'

const tokenTtlSeconds = 3_600
const reportMs = 5_000
const rateDefault = 5_000

const usage =
  'npm start -- [--for 60s] [--rate <events per second, 0: as fast as it goes>] [--json] [--port-base <port>]'

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2))
  const numbers = await runStack(
    {
      stateDirectory: resolve(projectDirectory, '.millrace'),
      portBase: options.portBase,
      brokers: 3,
      platform,
      java: javaEnvironment,
    },
    (running) => replayFlights(running, options),
  )
  if (!numbers) return
  process.stdout.write(options.json ? `${JSON.stringify(numbers)}\n` : `${lineOf(numbers)}\n`)
}

type Options = {
  readonly forMs: number | undefined
  readonly rate: number
  readonly json: boolean
  readonly portBase: number
}

/** @throws MillraceError `config.invalid` */
function optionsOf(argv: readonly string[]): Options {
  const { values } = parse(argv)
  const forMs = values.for === undefined ? undefined : millisecondsOf(values.for)
  const [rate, portBase] = [Number(values.rate ?? rateDefault), Number(values['port-base'] ?? portBaseDefault)]
  if (!(rate >= 0) || !Number.isInteger(portBase)) throw new MillraceError('config.invalid', usage)
  return { forMs, rate, json: values.json ?? false, portBase }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        for: { type: 'string' },
        rate: { type: 'string' },
        'port-base': { type: 'string' },
        json: { type: 'boolean' },
      },
    })
  } catch (cause) {
    throw new MillraceError('config.invalid', usage, { cause })
  }
}

function millisecondsOf(text: string): number {
  const match = /^(\d+)(s|m|h)$/.exec(text)
  if (!match) throw new MillraceError('config.invalid', `"${text}" is not a duration: write it as in 60s or 5m`)
  const units: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 }
  return Number(match[1]) * (units[match[2] ?? ''] ?? 0)
}

async function replayFlights({ installation, signal }: RunningStack, options: Options): Promise<ReplayNumbers> {
  const directory = resolve(installation.layout.data, 'flights')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const url = gatewayUrl(installation)
  const token = accessToken(
    (scopes) => mintToken(installation.secrets, { subject: 'flights', scopes, ttlSeconds: tokenTtlSeconds }),
    [`events:write:${flightDeparted.name}`],
  )
  const post = openEventPost({ gatewayUrl: url, token, connections: flightDeparted.partitions })
  const dataset = await openDataset()
  const ledger = openLedger(resolve(directory, 'ledger.csv'))
  const positions = openPositions(resolve(directory, 'positions.json'), flightDeparted.partitions)
  const statistics = replayStatistics()
  const end = AbortSignal.any([signal, ...(options.forMs === undefined ? [] : [AbortSignal.timeout(options.forMs)])])
  const replaying = replay(
    { dataset, eventType: flightDeparted.name, post: post.post, ledger, positions, statistics },
    { ...replayDefaults, eventsPerSecond: options.rate === 0 ? undefined : options.rate },
    end,
  )
  const done = new AbortController()
  const reporting = report(() => statistics.numbers(), done.signal)
  try {
    await replaying
    return statistics.numbers()
  } finally {
    done.abort()
    await reporting
    dataset.close()
    ledger.close()
    await post.close()
  }
}

async function report(numbers: () => ReplayNumbers, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(reportMs, undefined, { signal }).catch(() => undefined)
    process.stderr.write(`${lineOf(numbers())}\n`)
  }
}

function lineOf({ acknowledged, eventsPerSecond, batchEventsMean, ack, retries }: ReplayNumbers): string {
  const milliseconds = [ack.p50Ms, ack.p95Ms, ack.p99Ms].map((value) => (value ?? 0).toFixed(1)).join('/')
  return `${acknowledged} acknowledged, ${Math.round(eventsPerSecond)} events/s in batches of ${Math.round(batchEventsMean)}, ack p50/p95/p99 ${milliseconds} ms, ${retries} sent again`
}

try {
  await main()
} catch (error) {
  if (!(error instanceof MillraceError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = error.code === 'config.invalid' ? 2 : 1
}
