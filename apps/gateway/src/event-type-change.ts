/** What `PUT` does to the platform: by the same plan as `apply`, and answered when this instance has it. */
import { type CatalogEntry, declaredOf } from '@millrace/core/catalog'
import { MillraceError } from '@millrace/core/errors'
import {
  compatibilityDefault,
  type DeclaredType,
  partitionsDefault,
  retentionMsDefault,
} from '@millrace/core/event-type'
import type { Topic } from '@millrace/kafka/admin'
import { applyChanges } from '@millrace/reconcile/change'
import { requireNames } from '@millrace/reconcile/event-type-check'
import { partitionsConflict } from '@millrace/reconcile/event-type-conflict'
import { type EventTypeWorld, planEventTypes } from '@millrace/reconcile/plan-event-types'
import type { EventTypeBody } from './event-type-body.ts'
import { incompatible, refusedType } from './event-type-refusal.ts'
import { problem, ProblemError } from './problem.ts'

export type Put = { readonly outcome: 'created' | 'evolved' | 'unchanged'; readonly entry: CatalogEntry }

/**
 * Makes an event type, or makes of it what is asked for. What is refused changes nothing, unless another instance was first in the same moment.
 * @throws ProblemError 409 | 422, MillraceError 'kafka.unavailable' | 'registry.unavailable'
 */
export async function putEventType(name: string, body: EventTypeBody, world: EventTypeWorld): Promise<Put> {
  const current = (await world.catalog.entries()).get(name)
  const topic = body.topic ?? current?.topic ?? name
  try {
    requireNames({ name, topic })
  } catch (error) {
    refusedType(error)
  }
  const actual = (await world.admin.topics([topic])).get(topic)
  const type = declared(name, topic, body, current, actual)
  const changes = await planEventTypes([type], world).catch(refusedType)
  const conflict = partitionsConflict(type, actual?.partitions, body.repartition ?? false)
  if (conflict) throw new ProblemError(problem(409, conflict.detail, { errors: [conflict] }))
  await applyChanges(changes, () => undefined).catch((error: unknown) => incompatible(error, type, current))
  const entry = await settled(name, world)
  return { outcome: current ? (changes.length > 0 ? 'evolved' : 'unchanged') : 'created', entry }
}

function declared(
  name: string,
  topic: string,
  { format, schema, ...body }: EventTypeBody,
  current: CatalogEntry | undefined,
  actual: Topic | undefined,
): DeclaredType {
  const former = current && declaredOf(current)
  return {
    name,
    topic,
    format,
    schema,
    // They belong to the schema that is sent, so they are never those of the former one.
    references: body.references ?? [],
    key: body.key === undefined ? former?.key : (body.key ?? undefined),
    time: body.time === undefined ? former?.time : (body.time ?? undefined),
    partitions: body.partitions ?? actual?.partitions ?? partitionsDefault,
    retentionMs: body.retentionMs ?? former?.retentionMs ?? retentionMsDefault,
    compacted: former?.compacted ?? false,
    compatibility: body.compatibility ?? former?.compatibility ?? compatibilityDefault,
    sensitive: body.sensitive ?? former?.sensitive ?? [],
    pipeline: former?.pipeline,
  }
}

/** Each round that finds something to change is one in which another instance changed the type too. */
const roundsMax = 10

/**
 * The entry as the catalog has it now. Where another instance puts the same type meanwhile, the last entry counts: topic and
 * compatibility are made what it says, until nothing differs from an entry that was read after all that this instance did.
 */
async function settled(name: string, world: EventTypeWorld): Promise<CatalogEntry> {
  for (let round = 0; round < roundsMax; round++) {
    const entry = (await world.catalog.entries()).get(name)
    if (!entry) break
    const changes = await planEventTypes([declaredOf(entry)], world).catch(refusedType)
    if (changes.length === 0) return entry
    await applyChanges(changes, () => undefined)
  }
  throw new MillraceError('kafka.unavailable', `the event type ${name} is being changed by others: send it again`)
}
