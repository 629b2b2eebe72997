/** Runs compiled pipelines in Flink itself, over records that are given instead of a topic. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { javaEnvironment } from '@millrace/stack/environment'
import { findJava } from '@millrace/stack/java'
import { distributions } from '@millrace/stack/layout'
import * as z from 'zod'
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
const outputBytesMax = 256 * 1_048_576

const value = z.union([z.string(), z.number(), z.boolean(), z.null()])
const line = z.object({ case: z.int(), row: z.array(value) })
export type FlinkRow = z.infer<typeof line>['row']

/** What a pipeline made of its records: the outcomes of each by offset, and the results, each with the fields in the order of its type. */
export type FlinkRun = { readonly outcomes: Map<number, string[]>; readonly results: FlinkRow[] }

/** What is replaced by what in the statements of a pipeline. */
export type Altered = readonly [written: string | RegExp, instead: string]

export type Flink = {
  /** Runs pipelines, all in one job. Their streams end, and so do all windows. */
  readonly run: (cases: readonly Case[], altered?: Altered) => Promise<FlinkRun[]>
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
  const options = ['-Xmx768m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Djava.io.tmpdir=${directory}`]
  const opens = ['java.base/java.lang', 'java.base/java.util'].map((name) => `--add-opens=${name}=ALL-UNNAMED`)
  return {
    run: async (cases, altered = ['', '']) => {
      const file = join(directory, 'cases.json')
      await writeFile(file, JSON.stringify(jobOf(cases, altered)))
      const { stdout } = await run(java.command, [...options, ...opens, '-cp', classes, 'RunPipelines', file], {
        timeout: timeoutMs,
        maxBuffer: outputBytesMax,
      })
      return runsIn(stdout, cases.length)
    },
    close: () => rm(directory, { recursive: true, force: true }),
  }
}

function runsIn(stdout: string, cases: number): FlinkRun[] {
  const runs = Array.from({ length: cases }, (): FlinkRun => ({ outcomes: new Map(), results: [] }))
  for (const text of stdout.split('\n')) {
    if (!text.startsWith('{')) continue
    const { case: index, row } = line.parse(JSON.parse(text))
    const [offset, outcome, ...result] = row
    if (offset === null) runs[index]?.results.push(result)
    else outcomesAt(runs[index], Number(offset)).push(String(outcome))
  }
  return runs
}

function outcomesAt(run: FlinkRun | undefined, offset: number): string[] {
  const outcomes = run?.outcomes.get(offset) ?? []
  run?.outcomes.set(offset, outcomes)
  return outcomes
}

function jobOf(cases: readonly Case[], altered: Altered) {
  const compiled = cases.map(({ pipeline }) =>
    compilePipeline(pipeline, environment).statements.map((statement) => statement.replace(...altered)),
  )
  return {
    settings: settingsIn(compiled[0] ?? []),
    cases: cases.map((one, index) => partOf(one, compiled[index] ?? [], `case-${index}`)),
  }
}

/** What a compiled pipeline sets, but how it is kept and found again. */
function settingsIn(statements: readonly string[]): Record<string, string> {
  const set = statements.flatMap((statement) => {
    const [, option = '', value = ''] = /^SET '(.+)' = '(.*)'$/.exec(statement) ?? []
    return /^(pipeline\.object-reuse|parallelism|table)/.test(option) ? [[option, value] as const] : []
  })
  return Object.fromEntries(set)
}

/** A compiled pipeline whose topic is given, and a query of what it writes. */
function partOf({ pipeline, partitions, input }: Case, statements: readonly string[], name: string) {
  const results = /INSERT INTO `results` (SELECT.+?);\n(?=INSERT|END)/s.exec(statements.at(-1) ?? '')?.[1] ?? ''
  return {
    definitions: statements
      .filter((statement) => /^CREATE TEMPORARY (FUNCTION|VIEW|TABLE `records`)/.test(statement))
      .map((statement) => given(statement, name)),
    query: outcomesAndResults(pipeline, results),
    partitions,
    given: input.map((next) => {
      if ('idlePartition' in next) return { partition: next.idlePartition }
      const { partition, headers, value: bytes } = next
      return {
        partition,
        headers: Object.fromEntries([...headers].map(([name, text]) => [name, Buffer.from(text).toString('base64')])),
        value: bytes === null ? null : Buffer.from(bytes).toString('base64'),
      }
    }),
  }
}

/** A definition where the topic is not Kafka's, and where other pipelines are in the same job. */
function given(statement: string, name: string): string {
  return statement
    .replaceAll(/ METADATA FROM '\w+' VIRTUAL/g, '')
    .replace(
      /WITH \(\n {2}'connector' = 'kafka'.+\)$/s,
      `WITH ('connector' = 'given', 'topic' = '${name}', 'scan.watermark.emit.strategy' = 'on-event')`,
    )
    .replace('DESCRIPTOR(`rowtime`))', `DESCRIPTOR(\`rowtime\`), \`uid\` => '${name}')`)
}

/** One query, so that what both read is planned once, as it is in the statement set of a job. */
function outcomesAndResults({ result }: Pipeline, results: string): string {
  const fields = Object.entries(result.fields)
  const all = [...(result.key === undefined ? [] : ['key']), ...fields.map((_, index) => `f${index}`), 'headers']
  const nulls = fields.map(([, { type }]) => `CAST(NULL AS ${sqlTypes[type]})`)
  return `SELECT \`record_offset\`, \`outcome\`, ${nulls.join(', ')} FROM \`counted\`
UNION ALL SELECT CAST(NULL AS BIGINT), CAST(NULL AS STRING), ${fields.map((_, index) => `f${index}`).join(', ')}
FROM (${results}) AS r(${all.map((name) => `\`${name}\``).join(', ')})`
}
