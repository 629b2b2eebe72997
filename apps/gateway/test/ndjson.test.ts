import { assert, array, asyncProperty, constantFrom, integer } from 'fast-check'
import { expect, test } from 'vitest'
import { type Line, linesOf } from '../src/ndjson.ts'

async function read(chunks: readonly (Buffer | string)[], lineBytesMax = 1_000): Promise<string[]> {
  const lines: Line[] = []
  async function* body() {
    for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk))
  }
  for await (const some of linesOf(body(), lineBytesMax, () => undefined)) lines.push(...some)
  return lines.map((line) => ('bytes' in line ? line.bytes.toString() : 'TOO LONG'))
}

test('a line is whole however it is cut on its way', async () => {
  expect(await read(['{"a":1}\n{"b"', ':2', '}', '\n', '{"c":3}\n'])).toEqual(['{"a":1}', '{"b":2}', '{"c":3}'])
})

test('empty lines are none, and the last one needs no end', async () => {
  expect(await read(['\n\r\n  \t\na\r\n\n', 'b'])).toEqual(['a\r', 'b'])
  expect(await read([])).toEqual([])
  expect(await read(['\n', ' '])).toEqual([])
})

test('a line that is too long is passed over, and the next is read', async () => {
  expect(await read(['12345\n', '123456\n', '123', '456', '789', '\n', 'ok\n', '1234567'], 5)).toEqual([
    '12345',
    'TOO LONG',
    'TOO LONG',
    'ok',
    'TOO LONG',
  ])
})

test('splits as String.split does, at whatever bytes it is cut', async () => {
  const text = array(constantFrom('\n', 'a', 'é', '\u{1F600}', '{}'), { maxLength: 60 }).map((parts) => parts.join(''))
  await assert(
    asyncProperty(text, array(integer({ min: 1, max: 9 }), { minLength: 1 }), async (whole, sizes) => {
      const bytes = Buffer.from(whole)
      const chunks: Buffer[] = []
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1
        chunks.push(bytes.subarray(at, at + size))
        at += size
      }
      expect(await read(chunks)).toEqual(whole.split('\n').filter((line) => line !== ''))
    }),
  )
})
