/** Runs compiled pipelines in Flink itself, over records that are given instead of a topic. */
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { javaEnvironment } from '@millrace/stack/environment'
import { findJava } from '@millrace/stack/java'
import { distributions } from '@millrace/stack/layout'
import * as z from 'zod'
import type { RecordHeaders } from '@millrace/core/kafka-binding'
import type { Pipeline } from '@millrace/core/pipeline'
import { compilePipeline } from '../../src/compile.ts'
import { sqlTypes } from '../../src/records.ts'
import { environment } from '../pipelines.ts'
import type { Case } from './generate.ts'

const run = promisify(execFile)
const javaMajorMin = 17
const timeoutMs = 300_000
const sources = join(import.meta.dirname, 'java')
const programs = ['RunPipelines.java', 'GivenRecords.java', 'GivenTable.java'] as const

const value = z.union([z.string(), z.number(), z.boolean(), z.null(), z.record(z.string(), z.string())])
const row = z.array(value)
const line = z.union([z.object({ case: z.int(), row }), z.object({ failure: z.string() })])
export type FlinkRow = z.infer<typeof row>

/** What a pipeline made of its records: the outcomes of each by offset, and the results, each with the fields in the order of its type and its headers. */
export type FlinkRun = { readonly outcomes: Map<number, string[]>; readonly results: FlinkRow[] }

/** What is replaced by what in the statements of a pipeline. */
export type Altered = readonly [written: string | RegExp, instead: string]

/** Whether that changes what a pipeline is compiled to. */
export function isAltered({ pipeline }: Case, altered: Altered): boolean {
  return compilePipeline(pipeline, environment).statements.some((text) => text.replace(...altered) !== text)
}

export type Flink = {
  /** Runs pipelines, all in one job. Their streams end, and so do all windows. */
  readonly run: (cases: readonly Case[], altered?: Altered, parallelism?: number) => Promise<FlinkRun[]>
  readonly close: () => Promise<void>
}

/** Makes what runs pipelines, from its sources. */
export async function openFlink(): Promise<Flink> {
  const java = await findJava(javaEnvironment, javaMajorMin)
  const directory = await mkdtemp(join(tmpdir(), 'millrace-differential-'))
  const jars = (await readdir(distributions.flink)).map((name) => join(distributions.flink, name))
  const classes = [...jars, directory, sources].join(':')
  const compiler = ['-m', 'jdk.compiler/com.sun.tools.javac.Main', '-d', directory, '-cp', classes]
  await run(java.command, [...compiler, ...programs.map((name) => join(sources, name))])
  const options = ['-Xmx1500m', '-XX:+UseSerialGC', `-Djava.io.tmpdir=${directory}`]
  const opens = ['java.base/java.lang', 'java.base/java.util'].map((name) => `--add-opens=${name}=ALL-UNNAMED`)
  const runner = spawn(java.command, [...options, ...opens, '-cp', classes, 'io.millrace.flink.RunPipelines'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  // It is told of by the end of what it says.
  runner.stdin.on('error', () => undefined)
  const lines = createInterface({ input: runner.stdout, crlfDelay: Infinity })[Symbol.asyncIterator]()
  return {
    run: async (cases, altered = ['', ''], parallelism = 1) => {
      const file = join(directory, 'cases.json')
      await writeFile(file, JSON.stringify(jobOf(cases, altered, parallelism)))
      const timeout = setTimeout(() => runner.kill('SIGKILL'), timeoutMs)
      runner.stdin.write(`${file}\n`)
      try {
        return runsIn(await linesOfJob(lines), cases.length)
      } finally {
        clearTimeout(timeout)
      }
    },
    close: async () => {
      runner.kill('SIGKILL')
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** What it prints for one job, up to the empty line. */
async function linesOfJob(lines: AsyncIterator<string>): Promise<string[]> {
  const read: string[] = []
  for (;;) {
    const next = await lines.next()
    if (next.done === true) throw new Error('Flink ended, or was ended because it took too long: it says why above')
    if (next.value === '') return read
    read.push(next.value)
  }
}

function runsIn(lines: readonly string[], cases: number): FlinkRun[] {
  const runs = Array.from({ length: cases }, (): FlinkRun => ({ outcomes: new Map(), results: [] }))
  for (const text of lines) {
    const said = line.parse(JSON.parse(text))
    if ('failure' in said) throw new Error(`${said.failure}: the whole of it is above`)
    const { case: index, row: values } = said
    const [offset, outcome, ...result] = values
    if (offset === null) runs[index]?.results.push(result)
    else outcomesAt(runs[index], Number(offset)).push(z.string().parse(outcome))
  }
  return runs
}

function outcomesAt(run: FlinkRun | undefined, offset: number): string[] {
  const outcomes = run?.outcomes.get(offset) ?? []
  run?.outcomes.set(offset, outcomes)
  return outcomes
}

function jobOf(cases: readonly Case[], altered: Altered, parallelism: number) {
  const compiled = cases.map(({ pipeline }) =>
    compilePipeline({ ...pipeline, parallelism }, environment).statements.map((statement) =>
      statement.replace(...altered),
    ),
  )
  return {
    settings: {
      // What names the operators of a job has names for one pipeline alone, and here are several.
      ...settingsIn(compiled[0] ?? [], /^(pipeline\.object-reuse|table\.(?!exec\.uid))/),
      'parallelism.default': String(parallelism),
    },
    cases: cases.map((one, index) => partOf(one, compiled[index] ?? [], `case-${index}`)),
  }
}

/** What a compiled pipeline sets of such options. */
function settingsIn(statements: readonly string[], options: RegExp): Record<string, string> {
  const set = statements.flatMap((statement) => {
    const [, option = '', value = ''] = /^SET '(.+)' = '(.*)'$/.exec(statement) ?? []
    return options.test(option) ? [[option, value] as const] : []
  })
  return Object.fromEntries(set)
}

/** A compiled pipeline whose topic is given, and a query of what it writes. */
function partOf({ pipeline, partitions, input }: Case, statements: readonly string[], name: string) {
  const results = /INSERT INTO `results` (SELECT.+?);\n(?=INSERT|END)/s.exec(statements.at(-1) ?? '')?.[1] ?? ''
  return {
    settings: { 'table.exec.emit.late-fire.enabled': 'false', ...settingsIn(statements, /^table\.exec\.emit/) },
    definitions: statements
      .filter((statement) => /^CREATE TEMPORARY (FUNCTION|VIEW|TABLE `records`)/.test(statement))
      .map((statement) => given(statement, name)),
    query: outcomesAndResults(pipeline, results),
    partitions,
    given: input.map((next) => {
      if ('idlePartition' in next) return { partition: next.idlePartition }
      const { partition, offset, timestampMs, headers, value: bytes } = next
      return {
        partition,
        offset,
        timestampMs,
        headers: packed(headers).toString('base64'),
        value: bytes === null ? null : Buffer.from(bytes).toString('base64'),
      }
    }),
  }
}

/** As the source of a pipeline has headers: before each name and value its length in four bytes. */
function packed(headers: RecordHeaders): Buffer {
  const parts = [...headers].flat().map((text) => Buffer.from(text))
  return Buffer.concat(parts.flatMap((part) => [lengthOf(part), part]))
}

function lengthOf(part: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(part.length)
  return length
}

/** A definition where the topic is not Kafka's, and where other pipelines are in the same job. */
function given(statement: string, name: string): string {
  return statement
    .replace(
      /WITH \(\n {2}'connector' = 'millrace-records'.+\)$/s,
      `WITH ('connector' = 'given', 'topic' = '${name}', 'scan.watermark.emit.strategy' = 'on-event')`,
    )
    .replace('DESCRIPTOR(`rowtime`))', `DESCRIPTOR(\`rowtime\`), \`uid\` => '${name}')`)
}

/** One query, so that what both read is planned once, as it is in the statement set of a job. */
function outcomesAndResults({ result }: Pipeline, results: string): string {
  const fields = Object.entries(result.fields)
  const all = [...(result.key === undefined ? [] : ['key']), ...fields.map((_, index) => `f${index}`), 'headers']
  const nulls = fields.map(([, { type }]) => `CAST(NULL AS ${sqlTypes[type]})`)
  return `SELECT \`record_offset\`, \`outcome\`, ${nulls.join(', ')}, CAST(NULL AS MAP<STRING, BYTES>) FROM \`counted\`
UNION ALL SELECT CAST(NULL AS BIGINT), CAST(NULL AS STRING), ${fields.map((_, index) => `f${index}`).join(', ')}, \`headers\`
FROM (${results}) AS r(${all.map((name) => `\`${name}\``).join(', ')})`
}
