import { expect, test } from 'vitest'
import { singleOutcomeOf } from '../src/binary-post.ts'

const receipt = JSON.stringify({ id: '1', status: 'accepted', partition: 1, offset: 2, schemaId: 3 })

test.each([
  [201, receipt, { status: 'stored', partition: 1, offset: 2, schemaId: 3 }],
  [200, receipt, { status: 'stored', partition: 1, offset: 2, schemaId: 3 }],
  [201, '{}', { status: 'unconfirmed', detail: '201 {}' }],
  [201, 'no JSON', { status: 'unconfirmed', detail: '201 no JSON' }],
  [503, receipt, { status: 'unconfirmed', detail: `503 ${receipt}` }],
  [401, '{}', { status: 'unconfirmed', detail: '401 {}' }],
  [429, '{}', { status: 'unconfirmed', detail: '429 {}' }],
  [422, '{"detail":"no"}', { status: 'rejected', detail: '422 {"detail":"no"}' }],
])('%d with %s is %j', (statusCode, text, outcome) => {
  expect(singleOutcomeOf(statusCode, text)).toEqual(outcome)
})
