import { accountsTopic } from '@millrace/core/account'
import { count } from '@millrace/core/aggregate'
import { eventType } from '@millrace/core/event-type'
import { pipeline, toTopic } from '@millrace/core/pipeline'
import { tumbling } from '@millrace/core/window'
import { expect, test } from 'vitest'
import { type KafkaPermission, permissionsOf } from '../src/acls.ts'
import { compilePipeline } from '../src/compile.ts'
import { environment } from './pipelines.ts'
import { tokensOf } from './sql-tokens.ts'

/** As like one another as names can be that Kafka tells apart. */
const suffixes = ['spend.hourly', 'spend-hourly', 'Spend.hourly', 'spend.Hourly', 'spend.hourly-1', 'spend.hourly.1']

const alike = suffixes.map((suffix) =>
  pipeline(`com.example_v1.${suffix}`)
    .from(eventType(`com.example_v1.placed.${suffix}`, { schema: { type: 'object' } }))
    .window(tumbling('1 hour'))
    .watermark({ outOfOrderness: '5 minutes' })
    .late(toTopic())
    .groupBy(() => ({}))
    .aggregate(() => ({ orders: count() })),
)
const compiled = alike.map((one) => compilePipeline(one, environment))

test('names of types and pipelines are values in SQL: the statements around them are the same for all', () => {
  const shapes = compiled.map(({ statements }) =>
    statements.map((statement) => tokensOf(statement).map(({ kind, text }) => (kind === 'literal' ? kind : text))),
  )
  for (const shape of shapes) expect(shape).toEqual(shapes[0])
})

test('what one pipeline says and another does not, no third says: topics, group, transactions and folder are its own', () => {
  const literals = compiled.flatMap(({ statements }) => [
    ...new Set(statements.flatMap(tokensOf).flatMap(({ kind, text }) => (kind === 'literal' ? [text] : []))),
  ])
  for (const [text, said] of Map.groupBy(literals, (literal) => literal)) {
    expect([1, compiled.length], text).toContain(said.length)
  }
  expect(new Set(compiled.map(({ checkpointDirectory }) => checkpointDirectory)).size).toBe(compiled.length)
})

test('no permission of one pipeline is for what another uses, but for the topic of all accounts', () => {
  const permissions = alike.flatMap(permissionsOf).filter(({ name }) => name !== accountsTopic)
  const covers = (one: KafkaPermission, other: KafkaPermission) =>
    one.resource === other.resource &&
    (one.pattern === 'prefixed' ? other.name.startsWith(one.name) : other.name === one.name)
  for (const one of permissions) expect(permissions.filter((other) => covers(one, other))).toEqual([one])
})
