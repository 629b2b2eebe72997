import { writeReportFiles } from '../report-files.ts'
import { markdownOf } from './markdown.ts'
import type { Report } from './report.ts'

/** Writes the report's two files and returns its page. */
export async function writeReport(report: Report, directory: string): Promise<string> {
  const page = markdownOf(report)
  const json = `${JSON.stringify(report, undefined, 2)}\n`
  await writeReportFiles(directory, `${report.date}-clients`, { json, md: page })
  return page
}
