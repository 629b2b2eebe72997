import { protocolErrors } from '@platformatic/kafka'
import { expect, test } from 'vitest'
import { protocolError, type Verdict, verdictOf } from '../src/produce-verdict.ts'

const verdicts: [string, Verdict][] = [
  ['NONE', 'stored'],
  ['NOT_LEADER_OR_FOLLOWER', 'maybe'],
  ['LEADER_NOT_AVAILABLE', 'again'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 'again'],
  ['NOT_ENOUGH_REPLICAS', 'again'],
  ['KAFKA_STORAGE_ERROR', 'maybe'],
  ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'maybe'],
  ['REQUEST_TIMED_OUT', 'maybe'],
  ['UNKNOWN_SERVER_ERROR', 'maybe'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'disowned'],
  ['DUPLICATE_SEQUENCE_NUMBER', 'lost'],
  ['MESSAGE_TOO_LARGE', 'unfit'],
  ['TOPIC_AUTHORIZATION_FAILED', 'refused'],
  ['INVALID_RECORD', 'unfit'],
]

test.each(verdicts)('an answer of %s means %s', (name, verdict) => {
  expect(verdictOf(protocolErrors[name]?.code ?? NaN)).toBe(verdict)
})

test('a code of a later version leaves open what became of the batch', () => {
  expect(verdictOf(9_999)).toBe('maybe')
  expect(protocolError(9_999).message).not.toBe('')
})
