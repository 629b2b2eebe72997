import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compilePipeline } from '../src/compile.ts'
import { environment, pipelines } from './pipelines.ts'

const golden = join(import.meta.dirname, 'golden')
const regenerate = 'if the change is meant: node_modules/.bin/vitest run --project unit packages/flink --update'

describe('the SQL of a pipeline', () => {
  // Flink itself runs these files in packages/jvm/millrace-flink/src/test, where only Kafka is replaced.
  test.each(pipelines)('$name is the one that is kept', async (pipeline) => {
    const { statements } = compilePipeline(pipeline, environment)
    const text = statements.map((statement) => `${statement};\n\n`).join('')
    await expect(text, regenerate).toMatchFileSnapshot(join(golden, `${pipeline.name}.sql`))
  })

  test('is kept for these pipelines and no others', async () => {
    const files = (await readdir(golden)).filter((name) => name.endsWith('.sql'))
    expect(files.sort()).toEqual(pipelines.map(({ name }) => `${name}.sql`).sort())
  })
})
