import type { KafkaReader } from './access.ts'
import type { DeclaredType, EventType } from './event-type.ts'
import type { Handler } from './handler.ts'
import type { Pipeline } from './pipeline.ts'
import { pipelineDefinition } from './pipeline-definition.ts'
import type { SnowflakeSink } from './sink.ts'
import { deadLetterTopic, topicCollision } from './topic-name.ts'

/** The one typed definition from which topics, schemas, ACLs, jobs, connectors and tables are derived. */
export type Platform = {
  readonly events: readonly EventType[]
  readonly pipelines: readonly Pipeline[]
  readonly handlers: readonly Handler[]
  readonly sinks: readonly SnowflakeSink[]
  readonly access: readonly KafkaReader[]
}

/**
 * Checks that the parts of a platform fit together.
 * @throws RangeError when two parts have one name, two sinks one table or two topics names that Kafka does not tell apart, or a part reads
 * or publishes an event type that the platform does not declare, or a pipeline or a sink reads from one that has sensitive pointers.
 */
export function definePlatform(parts: Partial<Platform>): Platform {
  const { events = [], pipelines = [], handlers = [], sinks = [], access = [] } = parts
  const types = [...events, ...pipelines.map((pipeline) => pipeline.result)]
  requireUnique(
    'event type',
    types.map((type) => type.name),
  )
  requireUnique(
    'handler',
    handlers.map((handler) => handler.name),
  )
  requireUnique(
    'sink',
    sinks.map((sink) => sink.name),
  )
  requireUnique(
    'table',
    sinks.map(({ database, schema, table }) => `${database}.${schema}.${table}`),
  )
  requireUnique(
    'Kafka user',
    access.map((reader) => reader.user),
  )
  requireTopics([
    ...types.flatMap(({ topic }) => [topic, deadLetterTopic(topic)]),
    ...pipelines.flatMap(({ lateTopic }) => lateTopic ?? []),
  ])
  const declared = new Set(types.map((type) => type.name))
  for (const { name, from } of [...pipelines, ...handlers, ...sinks]) {
    if (!declared.has(from.name)) {
      throw new RangeError(`"${name}" reads from "${from.name}", which the platform does not declare: add it to events`)
    }
  }
  for (const { name, tables } of pipelines) {
    const missing = tables.find(({ type }) => !declared.has(type.name))
    if (missing) {
      throw new RangeError(
        `pipeline "${name}" joins "${missing.type.name}", which the platform does not declare: add it to events`,
      )
    }
  }
  const corrected = new Set(pipelines.filter(({ late }) => late.kind === 'correct').map(({ result }) => result.name))
  for (const { name, from } of pipelines) {
    if (corrected.has(from.name)) {
      throw new RangeError(
        `pipeline "${name}" reads from "${from.name}", whose results are corrected: it would count each revision of one`,
      )
    }
  }
  for (const { name, from } of [...pipelines, ...sinks]) {
    if (from.sensitive.length > 0) {
      throw new RangeError(
        `"${name}" reads from "${from.name}", which has sensitive pointers: what it gives up would be in the dead letters in plain, since Flink and Connect cannot seal. Let a handler make a type without them`,
      )
    }
  }
  for (const { name, to } of handlers) {
    const missing = to.find((type) => !declared.has(type.name))
    if (missing) {
      throw new RangeError(
        `"${name}" publishes "${missing.name}", which the platform does not declare: add it to events`,
      )
    }
  }
  return { events, pipelines, handlers, sinks, access }
}

/** Every event type that the platform knows: those that applications send, and those that pipelines publish. */
export function eventTypesOf({ events, pipelines }: Platform): DeclaredType[] {
  const results = pipelines.map((pipeline) => ({ ...pipeline.result, pipeline: pipelineDefinition(pipeline) }))
  return [...events, ...results]
}

function requireUnique(what: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice) throw new RangeError(`the platform declares the ${what} "${twice}" twice`)
}

function requireTopics(topics: readonly string[]): void {
  for (const topic of topics) {
    const collision = topicCollision(topic, topics)
    if (collision !== undefined) throw new RangeError(collision)
  }
}
