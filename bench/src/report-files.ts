import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Writes what a benchmark found into a folder: a file for each ending, all of one name. */
export async function writeReportFiles(
  directory: string,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const [ending, text] of Object.entries(files)) await writeFile(join(directory, `${name}.${ending}`), text)
}

/** A report as JSON; its numbers have six significant digits. */
export function roundedJson(report: object): string {
  return `${JSON.stringify(report, rounded, 2)}\n`
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value
}
