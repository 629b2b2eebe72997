import { isJsonObject, type JsonObject, type JsonValue } from '@millrace/core/json'
import { expect, test } from 'vitest'
import { compileJsonSchema } from '../src/json-schema.ts'

const draft2019 = { $schema: 'https://json-schema.org/draft/2019-09/schema' }
const draft2020 = { $schema: 'https://json-schema.org/draft/2020-12/schema' }
const each = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))
const named = (count: number, name: (index: number) => string, make: (index: number) => JsonValue): JsonObject =>
  Object.fromEntries(each(count, (index) => [name(index), make(index)]))
const nest = (levels: number, around: (inner: JsonObject) => JsonObject, inner: JsonObject = {}): JsonObject =>
  levels === 0 ? inner : nest(levels - 1, around, around(inner))

/** Definitions each of which applies the next twice to the same value. */
const doubling = (keyword: string): JsonObject => ({
  $ref: '#/definitions/d0',
  definitions: named(
    30,
    (index) => `d${index}`,
    (index) =>
      index === 29 ? { type: 'string' } : { [keyword]: each(2, () => ({ $ref: `#/definitions/d${index + 1}` })) },
  ),
})
const doublingData: JsonObject = {
  $ref: '#/definitions/node',
  definitions: {
    node: { allOf: each(2, () => ({ properties: { a: { $ref: '#/definitions/node' } } })) },
  },
}
const deepData = (levels: number): JsonValue => (levels === 0 ? {} : { a: deepData(levels - 1) })

/** CPU time in this process: the machine's other work does not count. */
function cpuMsOf(work: () => void): number {
  const startedAt = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(startedAt)
  return (user + system) / 1_000
}

/** The fastest of some runs, as the first ones compile what they run. */
function leastMsOf(work: () => void): number {
  return Math.min(...each(3, () => cpuMsOf(work)))
}

test.each<[string, JsonObject, RegExp]>([
  ['look-ahead', { pattern: '^(?=(a+))\\1b' }, /linear time/],
  ['look-behind', { pattern: '(?<=a+)b' }, /linear time/],
  ['a back-reference', { pattern: '^(.+)\\1$' }, /linear time/],
  ['repetitions that multiply', { pattern: '((a{100}){100}){100}' }, /pattern/],
  ['a large repetition', { pattern: 'x(.{1,900}a){2}' }, /pattern/],
  ['a long pattern', { pattern: 'a'.repeat(2_001) }, /2000 characters/],
  ['a pattern that is none', { pattern: '(' }, /Invalid regular expression/],
  [
    'patterns without end',
    { allOf: each(300, (n) => ({ pattern: `(a|b${n})+(c|d)+(e|f)+x{40}` })) },
    /patterns together/,
  ],
  [
    'long patterns without end',
    { allOf: each(300, (n) => ({ pattern: `^${'a?b?c?'.repeat(2)}${'x'.repeat(100)}${n}` })) },
    /patterns together/,
  ],
  ['a reference to elsewhere', { $ref: 'https://example.com/other.json' }, /example\.com.*nothing is fetched/],
  ['a reference to a file', { $ref: 'file:///etc/passwd' }, /nothing is fetched/],
  ['a reference to the metadata service', { $ref: 'http://169.254.169.254/latest' }, /nothing is fetched/],
  ['a reference to nothing', { $ref: '#/definitions/none' }, /nothing is fetched|can't resolve/],
  ['an id elsewhere and a reference beside it', { $id: 'http://example.com/a', $ref: 'b' }, /example\.com\/b/],
  ['allOf that doubles', doubling('allOf'), /too much work|type/],
  ['anyOf that doubles', doubling('anyOf'), /too much work/],
  ['oneOf that doubles', doubling('oneOf'), /too much work/],
  ['itself as reference', { $ref: '#' }, /without end/],
  ['itself in allOf', { allOf: [{ $ref: '#' }] }, /without end/],
  ['itself in not', { not: { $ref: '#' } }, /without end/],
  [
    'a circle of references',
    { $ref: '#/definitions/a', definitions: { a: { $ref: '#/definitions/b' }, b: { $ref: '#/definitions/a' } } },
    /without end|cannot be used/,
  ],
  ['itself by a dynamic reference', { ...draft2020, $dynamicAnchor: 'a', $dynamicRef: '#a' }, /without end/],
  ['itself by a recursive reference', { ...draft2019, $recursiveAnchor: true, $recursiveRef: '#' }, /without end/],
  ['another metaschema', { $schema: 'https://example.com/meta' }, /known are/],
  ['a metaschema that is no text', { $schema: { type: 'object' } }, /known are/],
  ['an older draft', { $schema: 'http://json-schema.org/draft-04/schema#' }, /known are/],
  ['the metaschema redefined', { $id: 'http://json-schema.org/draft-07/schema#', type: 'string' }, /already exists/],
  ['$async', { $async: true }, /\/\$async/],
  ['$async that is only true enough', { $async: 1, type: 'object' }, /\/\$async/],
  ['$async inside', { properties: { a: { $async: true, type: 'string' } } }, /\/properties\/a\/\$async/],
  ['$data', { properties: { a: { minimum: { $data: '1/b' } } } }, /minimum/],
  ['$data as pattern', { pattern: { $data: '1/b' } }, /pattern/],
  ['nesting', nest(100, (inner) => ({ not: inner })), /nested deeper/],
  ['nesting of lists', { enum: [JSON.parse('['.repeat(1_000) + ']'.repeat(1_000))] }, /nested deeper/],
  ['300 KiB', { description: 'x'.repeat(300 * 1_024) }, /bytes/],
  [
    'properties without end',
    {
      properties: named(
        5_000,
        (n) => `p${n}`,
        () => ({ type: 'string' }),
      ),
    },
    /objects and lists/,
  ],
  ['branches without end', { oneOf: each(2_000, (n) => ({ required: [`p${n}`] })) }, /objects and lists/],
  [
    'conditions without end',
    { ...draft2020, allOf: each(1_000, (n) => ({ if: { const: n }, then: false })) },
    /objects and lists/,
  ],
  [
    'unevaluatedProperties without end',
    { ...draft2020, unevaluatedProperties: false, anyOf: each(600, (n) => ({ properties: { [`p${n}`]: true } })) },
    /objects and lists/,
  ],
  ['a type that is none', { type: 'text' }, /type/],
  ['a negative length', { minLength: -1 }, /minLength/],
  ['an id of draft-04', { id: 'http://example.com' }, /"\$id"/],
  [
    'one id twice',
    { definitions: { a: { $id: 'http://example.com/x', type: 'string' }, b: { $id: 'http://example.com/x' } } },
    /resolves to more than one|already exists/,
  ],
])('a schema with %s is refused within 100 ms', (_what, schema, reason) => {
  const refuse = () => expect(() => compileJsonSchema(schema)).toThrow(reason)
  expect(leastMsOf(refuse)).toBeLessThan(100)
  expect(() => compileJsonSchema(schema)).toThrow(expect.objectContaining({ code: 'registry.refused' }))
})

const long = 'a'.repeat(1_000_000)
const text = (pattern: string): JsonObject => ({ type: 'string', pattern })

test.each<[string, JsonObject, JsonValue]>([
  ['nested repetition', text('^(a+)+$'), `${long}!`],
  ['repetition of alternatives', text('^(a|aa)+$'), `${long}!`],
  ['repetitions in a row', text('^a*a*a*a*a*$'), `${long}!`],
  ['repetition without an anchor', text('a+$'), `${long}!`],
  ['an address', text('^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}$'), `${long}!`],
  ['states without end', text('(a|b)*a(a|b){12}$'), each(100_000, (n) => (n % 7 > 3 ? 'a' : 'b')).join('') + 'c'],
  [
    'patterns of names',
    {
      patternProperties: named(
        100,
        (n) => `^(x${n}|a+)+$`,
        () => true,
      ),
    },
    named(
      10_000,
      (n) => `a${n}`,
      () => 1,
    ),
  ],
  ['names', { propertyNames: { pattern: '(a|a?)+$' } }, { [`${long}!`]: 1 }],
  ['data that doubles', doublingData, deepData(60)],
  ['uniqueItems of objects', { uniqueItems: true }, each(20_000, (n) => ({ n }))],
  ['uniqueItems of lists', { uniqueItems: true, items: { type: 'array' } }, each(20_000, (n) => [[n]])],
  [
    'many branches for many items',
    { items: { allOf: each(400, (n) => ({ not: { const: n } })) } },
    each(50_000, () => 'x'),
  ],
  ['a long enum for many items', { items: { enum: each(500, (n) => `${n}`) } }, each(50_000, () => '499')],
  ['a loop that only some data enters', { dependencies: { trap: { $ref: '#' } } }, { trap: 1 }],
  ['formats of long texts', { format: 'uri' }, `http://${':'.repeat(1_000_000)}`],
  ['a format that is none', { format: 'no-such-format' }, long],
  ['the format url', { format: 'url' }, `http://${'::'.repeat(100_000)}\0`],
  ['many violations', { items: { allOf: each(20, () => ({ type: 'string' })) } }, each(9_000, () => 1)],
  [
    'branches with unevaluatedProperties',
    { ...draft2020, unevaluatedProperties: false, anyOf: each(200, (n) => ({ properties: { [`p${n}`]: true } })) },
    named(
      10_000,
      (n) => `q${n}`,
      () => 1,
    ),
  ],
])('a schema with %s is harmless: it answers within 50 ms', (_what, schema, data) => {
  const validate = compileJsonSchema(schema)
  expect(leastMsOf(() => validate(data))).toBeLessThan(50)
})

const members = (count: number) =>
  named(
    count,
    (n) => `m${n}`,
    () => 1,
  )

test.each<[string, JsonObject, JsonValue, JsonValue]>([
  ['additionalProperties', { additionalProperties: { type: 'number' } }, members(40_000), members(40_001)],
  ['patternProperties', { patternProperties: { '^m': true } }, members(30_000), members(40_000)],
  ['propertyNames', { propertyNames: { maxLength: 10 } }, members(20_000), members(20_001)],
  [
    'unevaluatedProperties',
    { ...draft2020, unevaluatedProperties: { type: 'number' } },
    members(20_000),
    members(20_001),
  ],
  ['contains', { contains: { const: 333_332 } }, each(333_333, (n) => n), each(333_334, (n) => n)],
  ['uniqueItems of numbers', { uniqueItems: true }, each(166_666, (n) => n), each(166_667, (n) => n)],
  ['uniqueItems of a large object', { uniqueItems: true }, [members(19_000)], [members(20_000)]],
  ['uniqueItems of a long list', { uniqueItems: true }, [each(490_000, () => 0)], [each(500_000, () => 0)]],
  ['uniqueItems of a long text', { uniqueItems: true }, ['a'.repeat(3_900_000)], ['a'.repeat(4_000_000)]],
])('%s looks at so much and no more', (_what, schema, most, more) => {
  const validate = compileJsonSchema(schema)
  expect(validate(most)).toEqual([])
  expect(validate(more)[0]?.detail).toMatch(/too much work/)
})

test('items are the same by what they say, and a text is never a number', () => {
  const validate = compileJsonSchema({ uniqueItems: true })
  expect(validate([1, '1', true, 'true', null, 'null', {}, '{}', [], '[]', { a: 1, b: 2 }, [1]])).toEqual([])
  for (const pair of [
    [0, -0],
    ['a', 'a'],
    [null, null],
    [[1], [1]],
  ]) {
    expect(validate(pair)[0]?.detail).toMatch(/no item twice/)
  }
  expect(validate([{ a: 1, b: [2] }, 0, { b: [2], a: 1 }])[0]?.detail).toMatch(/those at 0 and 2 are the same/)
})

test('what is left of the work when a check ends is not taken from the next one', () => {
  const doubles = compileJsonSchema(doublingData)
  expect(doubles(deepData(60))[0]?.detail).toMatch(/too much work/)
  expect(doubles(deepData(5))).toEqual([])
  const list = compileJsonSchema({ items: { type: 'string', pattern: '^(a|b)+$' } })
  for (const value of each(100, () => each(1_000, () => 'abab'))) expect(list(value)).toEqual([])
})

test('no schema changes what objects inherit', () => {
  const schema: unknown = JSON.parse(
    '{"properties":{"__proto__":{"type":"string"}},"default":{"__proto__":{"x":1}},"definitions":{"__proto__":{"$id":"__proto__"}}}',
  )
  const data: unknown = JSON.parse('{"__proto__":{"x":1}}')
  if (!isJsonObject(schema) || !isJsonObject(data)) throw new Error('is an object')
  compileJsonSchema(schema)(data)
  expect(Object.keys(Object.prototype)).toEqual([])
  expect({}).not.toHaveProperty('x')
})
