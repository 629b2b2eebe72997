/** Results as texts, so that those that Flink has published can be held against those of the evaluator. */
import type { WindowResult } from '@millrace/core/evaluate-windows'
import type { Pipeline } from '@millrace/core/pipeline'
import { provenanceHeaders } from '@millrace/core/provenance'
import { publishedProvenance, publishedResult } from '@millrace/core/published-result'
import type { Reader } from '@millrace/kafka/reader'
import { expect } from 'vitest'
import * as z from 'zod'

/** The results that the evaluator gives, in the order of their texts. */
export function evaluatedTexts(one: Pipeline, results: readonly WindowResult[]): string[] {
  return results.map((result) => textOf(publishedResult(one, result), publishedProvenance(result.provenance))).sort()
}

/** The results in a pipeline's topic, read committed, in the order of their texts: the id of each is its own. */
export async function publishedTexts({ readLatest }: Reader, { result }: Pipeline, most: number): Promise<string[]> {
  const { records } = await readLatest(result.topic, most)
  expect(new Set(records.map(({ headers }) => headers.get('ce_id'))).size).toBe(records.length)
  return records.map(({ value, headers }) => textOf(JSON.parse(String(value)), headers)).sort()
}

function textOf(data: unknown, headers: ReadonlyMap<string, string>): string {
  const { revision, ...others } = provenanceHeaders
  const provenance = Object.values(others).map((name) => headers.get(name) ?? 'none')
  return [`revision ${headers.get(revision) ?? 'none'}`, canonical(data), ...provenance].join(' ')
}

function canonical(data: unknown): string {
  return Object.entries(z.record(z.string(), z.unknown()).parse(data))
    .map(([name, value]) => `${name}=${String(value)}`)
    .sort()
    .join()
}
