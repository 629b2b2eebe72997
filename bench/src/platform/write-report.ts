import { roundedJson, writeReportFiles } from '../report-files.ts'
import { markdownOf } from './markdown.ts'
import type { Report } from './report.ts'

/** Writes the report's two files and returns its page. */
export async function writeReport(report: Report, directory: string): Promise<string> {
  const page = markdownOf(report)
  await writeReportFiles(directory, `${report.date}-platform`, { json: roundedJson(report), md: page })
  return page
}
