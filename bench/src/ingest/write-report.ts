import { roundedJson, writeReportFiles } from '../report-files.ts'
import { markdownOf } from './markdown.ts'
import { plotOf } from './plot.ts'
import type { Report } from './report.ts'

/** Writes the report's three files and returns its page. */
export async function writeReport(report: Report, directory: string): Promise<string> {
  const page = markdownOf(report)
  const files = { json: roundedJson(report), md: page, svg: plotOf(report) }
  await writeReportFiles(directory, `${report.date}-ingest`, files)
  return page
}
