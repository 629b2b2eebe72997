import { kafkaReader } from '@millrace/core/access'
import { eventType } from '@millrace/core/event-type'
import { definePlatform } from '@millrace/core/platform'
import type { Acl } from '@millrace/kafka/admin'
import { expect, test } from 'vitest'
import { aclsOf, foundationAcls, isReader } from '../src/desired-acls.ts'

const order = eventType('order.placed', { schema: { type: 'object' } })
const reader = aclsOf(definePlatform({ events: [order], access: [kafkaReader('ada', { reads: [order] })] }))

test('a reader is known by its ACLs, though some of them are gone', () => {
  expect(isReader('User:ada', reader)).toBe(true)
  expect(isReader('User:ada', reader.slice(2))).toBe(true)
})

test('nobody else is: not a part of the platform, nor whoever may something that we give to no reader', () => {
  for (const [principal, acls] of Object.entries(Object.groupBy(foundationAcls, (acl) => acl.principal))) {
    expect(isReader(principal, acls ?? []), principal).toBe(false)
  }
  const topics = reader.filter(({ resource }) => resource === 'topic')
  const writing = topics.map((acl): Acl => ({ ...acl, operation: 'Write' }))
  expect(isReader('User:ada', [...reader, ...writing])).toBe(false)
  expect(isReader('User:ada', topics)).toBe(false)
  expect(isReader('User:bob', reader)).toBe(false)
})
