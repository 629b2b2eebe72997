import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { markdownOf } from './markdown.ts'
import type { Report } from './report.ts'

/** Writes the report's two files and returns its page. */
export async function writeReport(report: Report, directory: string): Promise<string> {
  const page = markdownOf(report)
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, `${report.date}-clients.json`), `${JSON.stringify(report, undefined, 2)}\n`)
  await writeFile(join(directory, `${report.date}-clients.md`), page)
  return page
}
