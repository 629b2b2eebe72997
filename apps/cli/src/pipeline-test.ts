import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { MillraceError } from '@millrace/core/errors'
import { isJsonObject, isJsonValue, type JsonObject, parsedJson } from '@millrace/core/json'
import type { Pipeline } from '@millrace/core/pipeline'
import { testPipeline } from '@millrace/core/test-pipeline'
import { loadDefinition } from '@millrace/service/definition'

export type PipelineTestOptions = {
  readonly platform: string
  /** A file of the results that are expected. */
  readonly expect?: string
  /** `type=file`, of what the pipeline joins. */
  readonly table?: readonly string[]
}

export type PipelineTestReport = {
  readonly ok: boolean
  readonly results: readonly JsonObject[]
  readonly late: number
  readonly filtered: number
  readonly malformed: number
  /** Expected, and not made. */
  readonly missing: readonly JsonObject[]
  /** Made, and not expected. */
  readonly unexpected: readonly JsonObject[]
}

/**
 * `millrace pipelines test <pipeline> <file>`: runs a pipeline of the definition in memory over the events of a file, one JSON object a line: the data
 * of an event, or a whole CloudEvent. Nothing has to run.
 * @throws MillraceError `config.invalid` for an unknown pipeline, and for a file that cannot be read or is not so
 */
export async function testPipelineOf(
  name: string,
  file: string,
  { platform, expect, table = [] }: PipelineTestOptions,
): Promise<PipelineTestReport> {
  const { pipelines } = await loadDefinition(platform)
  const pipeline = pipelines.find((one) => one.name === name)
  if (!pipeline) {
    const there = pipelines.map((one) => one.name).join(', ') || 'none'
    throw new MillraceError('config.invalid', `${platform} has no pipeline "${name}": it has ${there}`)
  }
  const events = (await linesOf(file)).map(eventIn)
  const tables = Object.fromEntries(await Promise.all(table.map(tableOf)))
  const tested = testing(pipeline, () =>
    testPipeline(
      pipeline,
      events.map(({ data }) => data),
      { tables, time: (_event, index) => events[index]?.time ?? '' },
    ),
  )
  const results = tested.results.map(plain)
  const expected = expect === undefined ? results : await linesOf(expect)
  const missing = without(expected, results)
  const unexpected = without(results, expected)
  return {
    ok: missing.length === 0 && unexpected.length === 0,
    results,
    ...{ late: tested.late.length, filtered: tested.filtered.length, malformed: tested.malformed.length },
    missing,
    unexpected,
  }
}

/** What the evaluator finds wrong with what it was given is told as such. */
function testing<T>({ name }: Pipeline, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new MillraceError('config.invalid', `pipeline "${name}" cannot be tested so: ${cause.message}`, { cause })
  }
}

async function tableOf(given: string): Promise<[string, JsonObject[]]> {
  const [, type = '', file = ''] = /^([^=]+)=(.+)$/.exec(given) ?? []
  if (type === '')
    throw new MillraceError('config.invalid', `--table ${given}: write it as in customer.changed=file.ndjson`)
  return [type, (await linesOf(file)).map((line) => eventIn(line).data)]
}

async function linesOf(file: string): Promise<JsonObject[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new MillraceError('config.invalid', `${file} cannot be read: ${String(cause)}`, { cause })
  })
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const parsed = parsedJson(line)
    if (isJsonValue(parsed) && isJsonObject(parsed)) return [parsed]
    throw new MillraceError('config.invalid', `${file}:${index + 1} is no JSON object on one line`)
  })
}

/** A line is the data, or a CloudEvent in JSON. */
function eventIn(line: JsonObject): { readonly data: JsonObject; readonly time: string | undefined } {
  const { specversion, data, time } = line
  const isCloudEvent = typeof specversion === 'string' && isJsonObject(data)
  return isCloudEvent ? { data, time: typeof time === 'string' ? time : undefined } : { data: line, time: undefined }
}

/** As JSON holds it: integers beyond the exact doubles are strings. */
function plain(result: Readonly<Record<string, unknown>>): JsonObject {
  const text = JSON.stringify(result, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  const parsed = parsedJson(text)
  return isJsonValue(parsed) && isJsonObject(parsed) ? parsed : {}
}

/** Those of some that others have not, each as often as it is missing. */
function without(some: readonly JsonObject[], others: readonly JsonObject[]): JsonObject[] {
  const left = [...others]
  return some.filter((one) => {
    const index = left.findIndex((other) => isDeepStrictEqual(one, other))
    if (index >= 0) left.splice(index, 1)
    return index < 0
  })
}

export function pipelineTestText({ ok, results, missing, unexpected, ...counts }: PipelineTestReport): string {
  const { late, filtered, malformed } = counts
  const lines = ok ? results.map((result) => `  ${JSON.stringify(result)}`) : []
  return [
    `${results.length} results; ${late} late, ${filtered} filtered, ${malformed} malformed or too far ahead`,
    ...lines,
    ...missing.map((result) => `- ${JSON.stringify(result)}`),
    ...unexpected.map((result) => `+ ${JSON.stringify(result)}`),
  ].join('\n')
}
