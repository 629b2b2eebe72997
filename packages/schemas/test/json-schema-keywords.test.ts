import type { JsonObject, JsonValue } from '@millrace/core/json'
import { describe, expect, test } from 'vitest'
import { compileJsonSchema } from '../src/json-schema.ts'

const dialects = {
  'draft-07': 'http://json-schema.org/draft-07/schema#',
  '2019-09': 'https://json-schema.org/draft/2019-09/schema',
  '2020-12': 'https://json-schema.org/draft/2020-12/schema',
}
const all = ['draft-07', '2019-09', '2020-12'] as const
const since2019 = ['2019-09', '2020-12'] as const
const until2019 = ['draft-07', '2019-09'] as const

type Row = readonly [
  keyword: string,
  within: readonly (keyof typeof dialects)[],
  schema: JsonObject,
  valid: readonly JsonValue[],
  invalid: readonly JsonValue[],
]

const rows: readonly Row[] = [
  ['type', all, { type: ['integer', 'null'] }, [1, 1.0, -0, null], [1.5, '1', true, [], {}]],
  ['enum', all, { enum: [1, 'a', { b: [1] }, null] }, [1, 'a', { b: [1] }, null], [2, { b: [2] }, false]],
  ['const', all, { const: { a: 1, b: 2 } }, [{ b: 2, a: 1 }], [{ a: 1 }, null]],
  ['multipleOf', all, { multipleOf: 0.5 }, [1, 1.5, 'x'], [1.25]],
  ['minimum, maximum', all, { minimum: 1, maximum: 2 }, [1, 2, 'x'], [0.9, 2.1]],
  ['exclusive bounds', all, { exclusiveMinimum: 1, exclusiveMaximum: 2 }, [1.5], [1, 2]],
  ['lengths count characters', all, { minLength: 2, maxLength: 2 }, ['ab', '😀😀', 1], ['😀', 'abc']],
  ['pattern', all, { pattern: '^a[0-9]+$' }, ['a12', 1], ['a', 'xa1']],
  ['pattern without an anchor', all, { pattern: 'b' }, ['abc'], ['ac']],
  ['pattern of alternatives', all, { pattern: '^(foo|bar)(-\\d+)?$' }, ['foo', 'bar-12'], ['foobar', 'foo-']],
  ['pattern of Unicode', all, { pattern: '^\\p{L}+$' }, ['é', 'Ж'], ['1']],
  ['pattern of any space', all, { pattern: '^(\\s|x)+$' }, ['\u00A0 x'], ['\u00A0 y']],
  ['items', all, { items: { type: 'string' } }, [[], ['a'], {}], [[1], ['a', 1]]],
  ['minItems, maxItems', all, { minItems: 1, maxItems: 2 }, [[1], [1, 2]], [[], [1, 2, 3]]],
  [
    'uniqueItems',
    all,
    { uniqueItems: true },
    [[1, '1', true], [{ a: 1 }, { a: 2 }], [[1], [2]], ['__proto__']],
    [
      [1, 1.0],
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      ['__proto__', '__proto__'],
    ],
  ],
  ['uniqueItems false', all, { uniqueItems: false }, [[1, 1]], []],
  ['contains', all, { contains: { const: 1 } }, [[0, 1]], [[], [0]]],
  [
    'tuples as lists of items',
    until2019,
    { items: [{ type: 'string' }], additionalItems: false },
    [['a'], []],
    [[1], ['a', 1]],
  ],
  [
    'tuples as prefixItems',
    ['2020-12'],
    { prefixItems: [{ type: 'string' }], items: false },
    [['a'], []],
    [[1], ['a', 1]],
  ],
  [
    'minContains, maxContains',
    since2019,
    { contains: { const: 1 }, minContains: 2, maxContains: 3 },
    [
      [1, 1],
      [1, 1, 1],
    ],
    [[1], [1, 1, 1, 1]],
  ],
  ['unevaluatedItems', ['2020-12'], { allOf: [{ prefixItems: [true] }], unevaluatedItems: false }, [[1]], [[1, 2]]],
  ['properties', all, { properties: { a: { type: 'string' } } }, [{ a: 'x' }, { b: 1 }, []], [{ a: 1 }]],
  [
    'properties that objects inherit',
    all,
    { properties: { constructor: { type: 'string' } }, required: ['toString'] },
    [{ toString: 1 }, { toString: 1, constructor: 'x' }],
    [{}, { toString: 1, constructor: 1 }],
  ],
  [
    'additionalProperties',
    all,
    { properties: { a: {} }, additionalProperties: { type: 'number' } },
    [{ a: 'x', b: 1 }],
    [{ b: 'x' }],
  ],
  [
    'patternProperties',
    all,
    { patternProperties: { '^n_': { type: 'number' } }, additionalProperties: false },
    [{ n_a: 1 }],
    [{ n_a: 'x' }, { m: 1 }],
  ],
  ['propertyNames', all, { propertyNames: { maxLength: 2 } }, [{ ab: 1 }], [{ abc: 1 }]],
  ['required', all, { required: ['a'] }, [{ a: null }, 1], [{}]],
  ['minProperties, maxProperties', all, { minProperties: 1, maxProperties: 1 }, [{ a: 1 }], [{}, { a: 1, b: 1 }]],
  [
    'dependencies',
    ['draft-07'],
    { dependencies: { a: ['b'], c: { required: ['d'] } } },
    [{ b: 1 }, { a: 1, b: 1 }, { c: 1, d: 1 }],
    [{ a: 1 }, { c: 1 }],
  ],
  ['dependentRequired', since2019, { dependentRequired: { a: ['b'] } }, [{ b: 1 }, { a: 1, b: 1 }], [{ a: 1 }]],
  [
    'dependentSchemas',
    since2019,
    { dependentSchemas: { a: { required: ['b'] } } },
    [{ b: 1 }, { a: 1, b: 1 }],
    [{ a: 1 }],
  ],
  [
    'unevaluatedProperties',
    since2019,
    { allOf: [{ properties: { a: {} } }], unevaluatedProperties: false },
    [{ a: 1 }],
    [{ a: 1, b: 1 }],
  ],
  ['allOf', all, { allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1.5], [0, 3]],
  ['anyOf', all, { anyOf: [{ type: 'string' }, { minimum: 2 }] }, ['a', 2], [1]],
  ['oneOf', all, { oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] }, [2, 3], [6, 1]],
  ['not', all, { not: { type: 'string' } }, [1], ['a']],
  ['if, then, else', all, { if: { const: 1 }, then: false, else: { type: 'string' } }, ['a'], [1, 2]],
  ['schemas that are true or false', all, { properties: { a: true, b: false } }, [{ a: 1 }], [{ b: 1 }]],
  [
    '$ref to definitions',
    all,
    { definitions: { s: { type: 'string' } }, properties: { a: { $ref: '#/definitions/s' } } },
    [{ a: 'x' }],
    [{ a: 1 }],
  ],
  ['$ref to $defs', since2019, { $defs: { s: { type: 'string' } }, $ref: '#/$defs/s', maxLength: 1 }, ['a'], [1, 'ab']],
  [
    '$ref through escapes',
    all,
    { definitions: { 'a/b~c%': { type: 'string' } }, $ref: '#/definitions/a~1b~0c%25' },
    ['a'],
    [1],
  ],
  [
    '$ref to an $id',
    all,
    { definitions: { s: { $id: 'http://example.com/s', type: 'string' } }, allOf: [{ $ref: 'http://example.com/s' }] },
    ['a'],
    [1],
  ],
  ['$ref to an $anchor', since2019, { $defs: { s: { $anchor: 'here', type: 'string' } }, $ref: '#here' }, ['a'], [1]],
  [
    '$ref to itself, in a tree',
    all,
    { properties: { left: { $ref: '#' }, value: { type: 'number' } } },
    [{ left: { left: { value: 1 } } }],
    [{ left: { left: { value: 'x' } } }],
  ],
  [
    '$recursiveRef',
    ['2019-09'],
    { $recursiveAnchor: true, properties: { child: { $recursiveRef: '#' } }, additionalProperties: false },
    [{ child: { child: {} } }],
    [{ child: { other: 1 } }],
  ],
  [
    '$dynamicRef',
    ['2020-12'],
    { $dynamicAnchor: 'node', properties: { child: { $dynamicRef: '#node' } }, additionalProperties: false },
    [{ child: { child: {} } }],
    [{ child: { other: 1 } }],
  ],
  [
    'annotations and what nobody knows',
    all,
    {
      title: 'a',
      default: 1,
      examples: [1],
      $comment: 'c',
      readOnly: true,
      javaType: 'x',
      contentEncoding: 'base64',
      format: 'unknown',
    },
    [1, 'x'],
    [],
  ],
  [
    'date-time',
    all,
    { format: 'date-time' },
    ['2026-01-31T23:59:60Z', '2026-01-01T00:00:00.5+01:00', 1],
    ['2026-02-30T00:00:00Z', '2026-01-01 noon'],
  ],
  ['date', all, { format: 'date' }, ['2024-02-29'], ['2023-02-29', '2024-1-1']],
  ['time', all, { format: 'time' }, ['12:00:00Z'], ['25:00:00Z']],
  ['duration', all, { format: 'duration' }, ['P1DT12H'], ['1 day']],
  ['email', all, { format: 'email' }, ['a@example.com'], ['a@', 'a']],
  ['hostname', all, { format: 'hostname' }, ['example.com'], ['-a.com']],
  ['ipv4', all, { format: 'ipv4' }, ['127.0.0.1'], ['256.0.0.1']],
  ['ipv6', all, { format: 'ipv6' }, ['::1'], ['1::2::3']],
  ['uri', all, { format: 'uri' }, ['https://example.com/a?b#c'], ['/a', 'a b']],
  ['uri-reference', all, { format: 'uri-reference' }, ['/a'], ['a b']],
  ['uuid', all, { format: 'uuid' }, ['f0b1c2d3-0000-4000-8000-000000000001'], ['f0b1']],
  ['json-pointer', all, { format: 'json-pointer' }, ['/a~1b'], ['a', '/~2']],
  ['regex', all, { format: 'regex' }, ['^a+$'], ['(']],
]

const cases = rows.flatMap(([keyword, within, schema, valid, invalid]) =>
  within.map((dialect) => ({ keyword, dialect, schema, valid, invalid })),
)

test.each(cases)('$keyword ($dialect)', ({ dialect, schema, valid, invalid }) => {
  const validate = compileJsonSchema({ $schema: dialects[dialect], ...schema })
  for (const value of valid) expect([value, validate(value)]).toEqual([value, []])
  for (const value of invalid) expect([value, validate(value).length > 0]).toEqual([value, true])
})

describe('references to other schemas', () => {
  const address = JSON.stringify({ type: 'object', properties: { zip: { $ref: 'zip.json' } }, required: ['zip'] })
  const references = [
    { name: 'address.json', schema: address },
    { name: 'zip.json', schema: '{"type":"string","pattern":"^[0-9]{5}$"}' },
  ]

  test.each([
    ['without an id', {}],
    ['with an id', { $id: 'https://example.com/schemas/order.json' }],
  ])('are found by their names, in a schema %s', (_what, id) => {
    const validate = compileJsonSchema({ ...id, properties: { to: { $ref: 'address.json' } } }, references)
    expect(validate({ to: { zip: '12345' } })).toEqual([])
    expect(validate({ to: { zip: 1 } })).toEqual([{ pointer: '/to/zip', detail: 'must be string, not number' }])
    expect(validate({ to: {} })).toEqual([{ pointer: '/to/zip', detail: 'is required' }])
  })

  test.each([
    ['that are no JSON', 'x', /"r" is not a JSON Schema/],
    ['that give a name twice', '{"type":"string","type":"number"}', /"r" is not a JSON Schema/],
    [
      'in another dialect',
      '{"$schema":"https://json-schema.org/draft/2020-12/schema"}',
      /refers to a schema in 2020-12/,
    ],
    ['that are no schemas', '{"type":"text"}', /\/type/],
  ])('%s are refused', (_what, schema, reason) => {
    expect(() => compileJsonSchema({ $ref: 'r' }, [{ name: 'r', schema }])).toThrow(reason)
  })
})

test.each<[JsonObject, JsonValue, string, string]>([
  [{ type: ['string', 'null'] }, [], '', 'must be string or null, not array'],
  [{ items: { enum: ['a', 1, null] } }, ['b'], '/0', 'must be one of "a", 1, null'],
  [
    { enum: Array.from({ length: 30 }, (_, n) => n) },
    -1,
    '',
    `must be one of ${[...Array(20).keys()].join(', ')} and 10 more`,
  ],
  [{ const: { a: 1 } }, 1, '', 'must be {"a":1}'],
  [{ pattern: '^a$' }, 'b', '', 'must match the pattern ^a$'],
  [{ format: 'date' }, 'b', '', 'must be of the format "date"'],
  [{ required: ['a/b'] }, {}, '/a~1b', 'is required'],
  [{ additionalProperties: false }, { 'a~': 1 }, '/a~0', 'is not a property that the schema allows'],
  [{ propertyNames: { maxLength: 1 } }, { ab: 1 }, '', 'has the property name "ab", which the schema does not allow'],
  [{ uniqueItems: true }, [1, 2, 1], '', 'must have no item twice, but those at 0 and 2 are the same'],
  [{ minimum: 5 }, 4, '', 'must be >= 5'],
  [{ dependencies: { a: ['b'] } }, { a: 1 }, '/b', 'is required where "a" is given'],
  [{ properties: { a: false } }, { a: 1 }, '/a', 'is not allowed here'],
])('a violation says what to do: %j', (schema, data, pointer, detail) => {
  expect(compileJsonSchema(schema)(data)).toContainEqual({ pointer, detail })
})
