import { isJsonValue } from '@millrace/core/json'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitBatch } from '../src/batch-body.ts'

const partsOf = (text: string) => splitBatch(Buffer.from(text), 100)?.parts.map(String)

test.each([
  ['[1]', ['1']],
  [' [ 1 ,\t{"a":[1,2]}\r\n]\n', [' 1 ', '\t{"a":[1,2]}\r\n']],
  ['[",]","\\",","\\\\",["]"]]', ['",]"', '"\\","', '"\\\\"', '["]"]']],
  ['[[[]],{"a":{}}]', ['[[]]', '{"a":{}}']],
  // What is no JSON has parts that are none.
  ['[1,]', ['1', '']],
  ['[,1]', ['', '1']],
  ['[1,{]', ['1', '{']],
  ['["a]', ['"a']],
  ['[1],[2]', ['1],[2']],
])('%s falls apart at the commas between its items', (text, parts) => {
  expect(partsOf(text)).toEqual(parts)
})

test.each(['', ' ', '[', ']', '[]', '[ \n]', '{}', '1', '"[1]"', '[1] 2', '2 [1]', '\uFEFF[1]'])(
  '"%s" is no array with an item',
  (text) => {
    expect(partsOf(text)).toBeUndefined()
  },
)

test('only so many parts are kept, and all are counted', () => {
  const body = Buffer.from(`[${Array(1_000).fill('0').join()}]`)
  expect(splitBatch(body, 10)).toMatchObject({ count: 1_000, parts: { length: 10 } })
})

test('the parts of any array are its items, and the parts of what is no JSON are not JSON, all together', () => {
  const spaces = fc.constantFrom('', ' ', '\n\t')
  fc.assert(
    fc.property(fc.array(fc.json(), { minLength: 1 }), spaces, (items, space) => {
      expect(partsOf(`[${items.join(`${space},${space}`)}]`)?.map((part) => part.trim())).toEqual(items)
    }),
  )
  const texts = fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', ':', '1', 'a', ' ') })
  fc.assert(
    fc.property(texts, (text) => {
      const isArray = Array.isArray(parsed(text)) && !/^\s*\[\s*\]\s*$/.test(text)
      const parts = partsOf(text)
      expect(parts?.every((part) => parsed(part) !== undefined) ?? false).toBe(isArray)
    }),
    { numRuns: 2_000 },
  )
})

function parsed(text: string) {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonValue(value) ? value : undefined
  } catch {
    return undefined
  }
}
