import fc from 'fast-check'
import { expect, test } from 'vitest'
import { literal, openDatabase } from '@millrace/ledger/database'
import { jsonOf } from '../../src/verdict/json-text.ts'

/** Valid JSON with a few characters put in or taken out: most is malformed, some is not. */
const nearlyJson = fc
  .tuple(
    fc.json({ maxDepth: 2, stringUnit: 'grapheme-ascii' }),
    fc.array(
      fc.tuple(fc.nat(60), fc.nat(2), fc.constantFrom('', ',', '"', '}', ']', 'NaN', 'Infinity', ' ', '\\', '0', '-')),
    ),
  )
  .map(([json, changes]) =>
    changes.reduce((text, [at, removed, added]) => text.slice(0, at) + added + text.slice(at + removed), json),
  )

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test('what is JSON is what JSON.parse takes', async () => {
  const database = await openDatabase()
  await fc.assert(
    fc.asyncProperty(fc.array(nearlyJson, { minLength: 200, maxLength: 200 }), async (texts) => {
      const rows = texts.map((text, index) => `(${index}, ${literal(text)})`)
      const read = await database.rows(
        `SELECT text, ${jsonOf('text')} IS NOT NULL AS is_json FROM (VALUES ${rows.join()}) AS texts(index, text) ORDER BY index`,
      )
      expect(read).toEqual(texts.map((text) => ({ text, is_json: isJson(text) })))
    }),
    { numRuns: 20 },
  )
  database.close()
})
