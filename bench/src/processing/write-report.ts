import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { markdownOf } from './markdown.ts'
import type { Report } from './report.ts'

/** Writes the report's two files and returns its page. */
export async function writeReport(report: Report, directory: string): Promise<string> {
  const file = (ending: string) => join(directory, `${report.date}-processing.${ending}`)
  const page = markdownOf(report)
  await mkdir(directory, { recursive: true })
  await writeFile(file('json'), `${JSON.stringify(report, rounded, 2)}\n`)
  await writeFile(file('md'), page)
  return page
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value
}
