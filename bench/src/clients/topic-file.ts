import { createReadStream, createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { createInterface } from 'node:readline'
import { MillraceError } from '@millrace/core/errors'

/**
 * Divides what Kafka's console consumer printed of a topic among those who wrote to it, by the header `ce_source`.
 * @param files for each source the file that its lines go to
 * @throws MillraceError 'verdict.failed' for a record of nobody's
 */
export async function splitBySource(topicFile: string, files: ReadonlyMap<string, string>): Promise<void> {
  const writers = new Map([...files].map(([source, file]) => [source, createWriteStream(file, { mode: 0o600 })]))
  const written = Promise.all([...writers.values()].map((writer) => finished(writer)))
  try {
    for await (const line of createInterface({ input: createReadStream(topicFile) })) {
      const writer = writers.get(/ce_source:([^\\\t]*)/.exec(line)?.[1] ?? '')
      if (!writer) throw new MillraceError('verdict.failed', `nobody sent this record: ${line.slice(0, 300)}`)
      writer.write(`${line}\n`)
    }
  } finally {
    for (const writer of writers.values()) writer.end()
    await written
  }
}
