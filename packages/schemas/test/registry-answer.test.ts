import { expect, test } from 'vitest'
import { incompatibilitiesIn, keptSchema, registeredSchema } from '../src/registry-answer.ts'

const refusal = (list: string) =>
  `io.apicurio.registry.rules.violation.RuleViolationException: Incompatible artifact: s [JSON], num of incompatible diffs: {2}, list of diff types: [${list}]`

test('the reasons of a refusal are told apart, commas and all', () => {
  const list =
    'Subschema type changed at /properties/a, Field name changed, message A , before: n , after m at /A, b at /fields/0'
  expect(incompatibilitiesIn(refusal(list))).toEqual([
    { path: '/properties/a', detail: 'Subschema type changed' },
    { path: '/A', detail: 'Field name changed, message A , before: n , after m' },
    { path: '/fields/0', detail: 'b' },
  ])
})

test('the number of reasons is bounded', () => {
  const list = Array.from({ length: 10_000 }, (_, index) => `r at /fields/${index}`).join(', ')
  expect(incompatibilitiesIn(refusal(list))).toHaveLength(50)
})

test("another registry's sentence is one reason for the whole schema", () => {
  expect(incompatibilitiesIn('Schema being registered is incompatible')).toEqual([
    { path: '', detail: 'Schema being registered is incompatible' },
  ])
})

test('a schema without a type is Avro, but what was looked up is what was asked for', () => {
  expect(keptSchema({ schema: '"string"' })).toEqual({ type: 'AVRO', schema: '"string"', references: [] })
  expect(registeredSchema({ id: 1, version: 2, schema: '{}' }, 'JSON')).toMatchObject({ type: 'JSON', version: 2 })
})

test.each([
  ['no text', {}],
  ['references that are none', { schema: '{}', references: [{ name: 'a' }] }],
])('an answer with %s is no schema', (_what, answer) => {
  expect(() => keptSchema(answer)).toThrow(expect.objectContaining({ code: 'registry.refused' }))
})
