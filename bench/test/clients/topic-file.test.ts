import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { splitBySource } from '../../src/clients/topic-file.ts'

function filesOf(lines: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'topic-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const topicFile = join(directory, 'topic')
  writeFileSync(topicFile, lines.map((line) => `${line}\n`).join(''))
  const files = new Map(['/one', '/two'].map((source) => [source, join(directory, source.slice(1))]))
  return { topicFile, files, textOf: (source: string) => readFileSync(files.get(source) ?? '', 'utf8') }
}

const lineOf = (source: string, id: string) =>
  `CreateTime:1\tPartition:0\tOffset:0\tce_id:${id}\\,ce_source:${source}\tkey\t{"id":"${id}"}`

test('each record goes to the file of its source, in the order of the topic', async () => {
  const lines = [lineOf('/one', 'a'), lineOf('/two', 'b'), lineOf('/one', 'c')]
  const { topicFile, files, textOf } = filesOf(lines)
  await splitBySource(topicFile, files)
  expect(textOf('/one')).toBe(`${lines[0] ?? ''}\n${lines[2] ?? ''}\n`)
  expect(textOf('/two')).toBe(`${lines[1] ?? ''}\n`)
})

test('a record of nobody’s ends it', async () => {
  const { topicFile, files } = filesOf([lineOf('/one', 'a'), lineOf('/three', 'b')])
  await expect(splitBySource(topicFile, files)).rejects.toMatchObject({ code: 'verdict.failed' })
})
