import { describe, expect, test } from 'vitest'
import { permissionsOf } from '../src/acls.ts'
import { compilePipeline } from '../src/compile.ts'
import { consumerGroup, transactionalIdPrefix } from '../src/kafka-names.ts'
import { environment, pipelines, spendPerCustomer } from './pipelines.ts'
import { tokensOf } from './sql-tokens.ts'

/** The values that the tables of a pipeline give an option, as an independent reading of its SQL finds them. */
function optionsOf(statements: readonly string[], option: string): string[] {
  return statements.flatMap((statement) => {
    const tokens = tokensOf(statement)
    return tokens.flatMap(({ kind, text }, at) =>
      kind === 'literal' && text === option ? [tokens[at + 2]?.text ?? ''] : [],
    )
  })
}

/** The topics that are joined, likewise. */
function joinedTopics(statements: readonly string[]): string[] {
  return statements.flatMap((statement) => {
    const tokens = tokensOf(statement)
    return tokens.flatMap(({ kind, text }, at) =>
      kind === 'identifier' && text === 'topics' ? (tokens[at + 2]?.text.split(',') ?? []) : [],
    )
  })
}

describe.each(pipelines)('the permissions of $name', (pipeline) => {
  const { statements } = compilePipeline(pipeline, environment)
  const permissions = permissionsOf(pipeline)
  const namesOf = (resource: string, operation: string) =>
    permissions
      .filter((permission) => permission.resource === resource && permission.operations.some((it) => it === operation))
      .map((permission) => permission.name)

  test('are for the topics that its SQL reads and writes', () => {
    const [read, ...written] = optionsOf(statements, 'topic')
    expect(namesOf('topic', 'Write').sort()).toEqual(written.sort())
    expect(namesOf('topic', 'Read').sort()).toEqual([...written, ...joinedTopics(statements), read].sort())
    expect(permissions.filter(({ resource }) => resource === 'topic').map(({ pattern }) => pattern)).not.toContain(
      'prefixed',
    )
  })

  test('are for the consumer group that its SQL names', () => {
    expect(namesOf('group', 'Read')).toEqual(optionsOf(statements, 'properties.group.id'))
  })

  test('are for the transactional ids of each of its sinks, which are their own', () => {
    const [prefix] = namesOf('transactional-id', 'Write')
    const used = optionsOf(statements, 'sink.transactional-id-prefix')
    expect(used.length).toBe(namesOf('topic', 'Write').length)
    expect(new Set(used).size).toBe(used.length)
    for (const id of used) {
      expect(id.startsWith(prefix ?? '-')).toBe(true)
      // What begins like a sink's prefix is aborted when that sink starts.
      expect(used.filter((other) => other.startsWith(id))).toEqual([id])
    }
  })

  test('are used exactly once: each sink commits its transactions with its checkpoints', () => {
    expect(new Set(optionsOf(statements, 'sink.delivery-guarantee'))).toEqual(new Set(['exactly-once']))
    expect(optionsOf(statements, 'properties.isolation.level')).toEqual(['read_committed'])
  })
})

test('no pipeline can abort the transactions of another or commit for its group', () => {
  const names = ['a', 'a-b', 'a.b', 'ab', 'a-b.late-results', spendPerCustomer.name]
  for (const name of names) {
    const others = names.filter((other) => other !== name)
    expect(others.filter((other) => transactionalIdPrefix(other).startsWith(transactionalIdPrefix(name)))).toEqual([])
    expect(others.map(consumerGroup)).not.toContain(consumerGroup(name))
  }
})
