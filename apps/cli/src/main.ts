/** The `millrace` command. What talks to the servers takes a second to load, so it is loaded when its command runs. */
import { Argument, Command, CommanderError, Option } from 'commander'
import { MillraceError } from '@millrace/core/errors'
import { javaEnvironment } from '@millrace/stack/environment'
import { durationSeconds, gateways, scopes, taskManagers, wholeNumber, words, workers } from './arguments.ts'
import type { BacktestOptions } from './backtest.ts'
import type { ListOptions, ReplayOptions } from './dlq.ts'
import { doctor } from './doctor.ts'
import { down } from './down.ts'
import type { DrillCommandOptions } from './drill.ts'
import type { GenerateOptions } from './generate.ts'
import type { PipelineTestOptions } from './pipeline-test.ts'
import type { RestartOptions, ShowOptions } from './pipelines.ts'
import { portBaseOption, type RunningOptions, type StateOption, withDefinition, withState } from './settings.ts'
import { statusOf, statusTable } from './status.ts'
import type { TailOptions } from './tail.ts'
import { token, type TokenOptions } from './token.ts'
import type { UpOptions } from './up.ts'

const exitCodes = { done: 0, failed: 1, usage: 2 } as const

const json = () => new Option('--json', 'print JSON for a program to read')
const brokers = () => new Option('--brokers <n>', 'how many Kafka brokers').choices(['1', '3']).default('3')

const brokerCount = (options: { readonly brokers: string }): 1 | 3 => (options.brokers === '1' ? 1 : 3)
function print(value: unknown): void {
  process.stdout.write(typeof value === 'string' ? `${value}\n` : `${JSON.stringify(value)}\n`)
}

function program(): Command {
  const millrace = new Command('millrace')
    .description('Millrace, a real-time event streaming platform: one typed definition, every part derived from it.')
    .exitOverride()
    .showHelpAfterError()
  stackCommands(millrace)
  definitionCommands(millrace)
  deadLetterCommands(millrace)
  pipelineCommands(millrace)
  return millrace
}

function stackCommands(millrace: Command): void {
  withDefinition(millrace.command('up'))
    .description('start the platform on this machine')
    .addOption(portBaseOption())
    .addOption(brokers())
    .addOption(new Option('--gateways <n>', 'how many gateways').default(1).argParser(gateways))
    .addOption(new Option('--workers <n>', 'how many workers').default(1).argParser(workers))
    .addOption(
      new Option('--flink <form>', 'Flink in one process (a MiniCluster), or a process for each of its parts')
        .choices(['embedded', 'cluster'])
        .default('embedded'),
    )
    .addOption(
      new Option('--task-managers <n>', "how many TaskManagers in Flink's cluster (default: 2)").argParser(
        taskManagers,
      ),
    )
    .option('--faults', 'put a proxy before the brokers and the registry that can make their network fail: for drills')
    .option('--detach', 'return when it is ready and leave it running')
    .action(async (options: Omit<UpOptions, 'brokers'> & { brokers: string; detach?: boolean }) => {
      const { up, upDetached } = await import('./up.ts')
      const upOptions: UpOptions = { ...options, brokers: brokerCount(options) }
      await (options.detach ? upDetached(upOptions, process.argv.slice(1)) : up(upOptions))
    })
  withState(millrace.command('status'))
    .description('what runs, and where')
    .addOption(json())
    .action(async (options: StateOption & { json?: boolean }) => {
      const status = await statusOf(options.state)
      print(options.json ? status : statusTable(status))
    })
  withState(millrace.command('down'))
    .description('stop the platform')
    .option('--wipe', 'delete its data, secrets and logs too')
    .action(async (options: StateOption & { wipe?: boolean }) =>
      print(await down(options.state, options.wipe ?? false)),
    )
  millrace
    .command('doctor')
    .description('check that this machine has what the servers need')
    .addOption(json())
    .action(async (options: { json?: boolean }) => {
      const found = await doctor(javaEnvironment)
      print(options.json ? found : `Java ${found.major} (${found.java})`)
    })
}

function definitionCommands(millrace: Command): void {
  withState(millrace.command('token'))
    .description('a JWT of the local issuer')
    .requiredOption('--scope <scope>', 'what it allows, as in events:write:order.*; give it again for more', scopes)
    .option('--subject <name>', 'whom it names', 'developer')
    .addOption(
      new Option('--ttl <duration>', 'how long it is good for, as in 15m or 1h')
        .default(durationSeconds('1h'), '1h')
        .argParser(durationSeconds),
    )
    .action(async (options: TokenOptions) => print(await token(options)))
  for (const name of ['plan', 'apply'] as const) {
    withDefinition(millrace.command(name))
      .description(
        name === 'plan' ? 'what differs between the definition and what runs' : 'make what runs as the definition says',
      )
      .addOption(json())
      .action(async (options: RunningOptions & { json?: boolean }) => {
        const { plan, planTable } = await import('./plan.ts')
        const changes = await plan(options, name === 'apply')
        print(options.json ? changes : planTable(changes, name === 'apply'))
      })
  }
  withDefinition(millrace.command('generate'))
    .description('make a typed client for TypeScript, in one file, from the event types of the catalog')
    .addArgument(new Argument('<what>').choices(['client']))
    .option('--out <file>', 'where to put it, as in src/millrace.ts (default: standard output)')
    .action(async (_what: string, options: GenerateOptions) => {
      const { generateClientFile } = await import('./generate.ts')
      print(await generateClientFile(options))
    })
  withDefinition(millrace.command('tail'))
    .description('print every new event of a topic as a line of JSON')
    .argument('<topic>')
    .addOption(new Option('--limit <events>', 'end after so many events').argParser(wholeNumber))
    .action(async (topic: string, options: TailOptions) => {
      const { tail } = await import('./tail.ts')
      await tail(topic, options)
    })
  withDefinition(millrace.command('drill'))
    .description('make something go wrong on the running stack, under load, and see whether anything is lost')
    .argument('<name>', 'which drill; "list" names them')
    .addOption(new Option('--rate <events>', 'events per second').default(1_000).argParser(wholeNumber))
    .addOption(new Option('--seed <n>', 'what an earlier run left to chance, as it said').argParser(wholeNumber))
    .addOption(json())
    .action(async (name: string, options: DrillCommandOptions & { json?: boolean }) => {
      const { drill, drillList, drillSummary } = await import('./drill.ts')
      if (name === 'list') {
        print(drillList())
        return
      }
      const report = await drill(name, options)
      print(options.json ? report : drillSummary(report))
      if (!report.ok) process.exitCode = exitCodes.failed
    })
}

function deadLetterCommands(millrace: Command): void {
  const dlq = millrace
    .command('dlq')
    .description('dead letters: the events of a topic that failed after they were accepted')
  const from = () => new Option('--from <place>', 'go on where an answer says, or begin at an RFC 3339 time')
  withDefinition(dlq.command('list'))
    .description('what is there, oldest first')
    .argument('<topic>')
    .option('--reason <code>', 'only those that are there for this reason, as in malformed')
    .addOption(new Option('--limit <letters>', 'how many at most').default(50).argParser(wholeNumber))
    .addOption(from())
    .addOption(json())
    .action(async (topic: string, options: ListOptions & { json?: boolean }) => {
      const { letterTable, listLetters } = await import('./dlq.ts')
      const page = await listLetters(topic, options)
      print(options.json ? page : letterTable(page))
    })
  withDefinition(dlq.command('show'))
    .description('all that is known of the dead letters of one event, as JSON')
    .argument('<topic>')
    .argument('<id>')
    .addOption(json())
    .action(async (topic: string, id: string, options: RunningOptions & { json?: boolean }) => {
      const { showLetters } = await import('./dlq.ts')
      const letters = await showLetters(topic, id, options)
      print(options.json ? letters : JSON.stringify(letters, undefined, 2))
    })
  withDefinition(dlq.command('replay'))
    .description('put dead letters back into their topic; --dry-run says how many would pass')
    .argument('<topic>')
    .addOption(new Option('--id <id>', 'that of an event; give it again for more').argParser(words))
    .option('--reason <code>', 'those that are there for this reason')
    .option('--all', 'all of them')
    .option('--dry-run', 'store nothing')
    .addOption(new Option('--cap <letters>', 'how many at most').argParser(wholeNumber))
    .addOption(
      new Option('--canary <letters>', 'replay so many first, and no more when one of them fails').argParser(
        wholeNumber,
      ),
    )
    .addOption(from())
    .addOption(json())
    .action(async (topic: string, options: ReplayOptions & { json?: boolean }) => {
      const { replayLetters, replaySummary } = await import('./dlq.ts')
      const answer = await replayLetters(topic, options)
      print(options.json ? answer : replaySummary(answer))
    })
}

function pipelineCommands(millrace: Command): void {
  const pipelines = millrace.command('pipelines').description('the pipelines of the definition')
  jobCommands(pipelines)
  withDefinition(pipelines.command('test'))
    .description('run one in memory over the events of a file: nothing has to run')
    .argument('<pipeline>')
    .argument('<events>', 'a file with the data of an event, or a CloudEvent, as JSON on each line')
    .option('--expect <file>', 'a file with the results that are expected, as JSON on each line')
    .addOption(
      new Option('--table <type=file>', 'the events of a type that it joins; give it again for more').argParser(words),
    )
    .addOption(json())
    .action(async (name: string, events: string, options: PipelineTestOptions & { json?: boolean }) => {
      const { pipelineTestText, testPipelineOf } = await import('./pipeline-test.ts')
      const report = await testPipelineOf(name, events, options)
      print(options.json ? report : pipelineTestText(report))
      if (!report.ok) process.exitCode = exitCodes.failed
    })
  withDefinition(pipelines.command('backtest'))
    .description(
      'run the pipelines of a file in memory over what their topics hold: what would a change of them change?',
    )
    .argument('<file>', 'a module that exports a definition, as --platform does')
    .addOption(new Option('--pipeline <name>', 'only this one; give it again for more').argParser(words))
    .requiredOption('--from <time>', 'from where on, by when events were stored: RFC 3339, or "earliest"')
    .addOption(new Option('--diff <what>', 'compare with what was published, and fail if it differs').choices(['live']))
    .addOption(json())
    .action(async (file: string, options: BacktestOptions & { json?: boolean }) => {
      const { backtestFile, backtestJson, backtestText } = await import('./backtest.ts')
      const reports = await backtestFile(file, options)
      print(options.json ? backtestJson(reports) : backtestText(reports))
      if (reports.some(([, { comparison }]) => comparison?.differences.length)) process.exitCode = exitCodes.failed
    })
}

function jobCommands(pipelines: Command): void {
  withDefinition(pipelines.command('list'))
    .description('all of them: whether they run, how far they are, and what they made of their records')
    .addOption(json())
    .action(async (options: RunningOptions & { json?: boolean }) => {
      const { listPipelines } = await import('./pipelines.ts')
      const { pipelineTable } = await import('./pipeline-tables.ts')
      const states = await listPipelines(options)
      print(options.json ? states : pipelineTable(states))
    })
  withDefinition(pipelines.command('show'))
    .description('all that is known of one, by partition too')
    .argument('<name>')
    .option('--sql', 'and the SQL that Flink runs')
    .addOption(json())
    .action(async (name: string, options: ShowOptions & { json?: boolean }) => {
      const { showPipeline } = await import('./pipelines.ts')
      const { pipelineText } = await import('./pipeline-tables.ts')
      const shown = await showPipeline(name, options)
      print(options.json ? shown : pipelineText(shown))
    })
  withDefinition(pipelines.command('stop'))
    .description('stop one with a savepoint; it stays stopped, though Flink is restarted, until "restart" or "apply"')
    .argument('<name>')
    .addOption(json())
    .action(async (name: string, options: RunningOptions & { json?: boolean }) => {
      const { stopPipeline } = await import('./pipelines.ts')
      const { stopSentence } = await import('./pipeline-tables.ts')
      const answer = await stopPipeline(name, options)
      print(options.json ? answer : stopSentence(answer))
    })
  withDefinition(pipelines.command('restart'))
    .description('stop one with a savepoint, where it runs, and start it from there')
    .argument('<name>')
    .option(
      '--from-beginning',
      'start it from the first record that its topic holds instead: results of those windows are published again',
    )
    .addOption(json())
    .action(async (name: string, options: RestartOptions & { json?: boolean }) => {
      const { restartPipeline } = await import('./pipelines.ts')
      const { restartSentence } = await import('./pipeline-tables.ts')
      const answer = await restartPipeline(name, options)
      print(options.json ? answer : restartSentence(answer))
    })
}

try {
  await program().parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    const asked = error.exitCode === 0 // --help, --version
    process.exitCode = asked ? exitCodes.done : exitCodes.usage
  } else if (error instanceof MillraceError) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = error.code === 'config.invalid' ? exitCodes.usage : exitCodes.failed
  } else {
    throw error
  }
}
