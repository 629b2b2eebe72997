/** The event types that a drill has for itself. */
import { deadLetterTopic } from '@millrace/core/topic-name'
import type { Installation } from '@millrace/stack/installation'
import { waitUntil } from '@millrace/stack/wait'
import { openWorld } from '@millrace/stack/world'

const typeDeadlineMs = 60_000
const retentionMs = 3_600_000

export const drillTypeOptions = {
  schema: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    additionalProperties: false,
    properties: { key: { type: 'string' }, round: { type: 'integer', minimum: 0 } },
    required: ['key', 'round'],
  },
  key: '/key',
  partitions: 12,
} as const

/** What workers publish for the events of a drill. */
export function effectTypeOf(eventType: string): string {
  return `${eventType}.effects`
}

export type TypeMaking = {
  readonly gatewayUrls: readonly string[]
  /** With `catalog:read` and `catalog:write`. */
  readonly token: string
  readonly signal: AbortSignal
}

/** Makes the type, and waits until every gateway knows it: what is not known yet would be refused. */
export async function makeDrillType(eventType: string, { gatewayUrls, token, signal }: TypeMaking): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ format: 'json', ...drillTypeOptions, retentionMs })
  const asked = (gatewayUrl: string, request: RequestInit) =>
    fetch(`${gatewayUrl}/v1/event-types/${eventType}`, { headers, ...request })
  for (const [index, gatewayUrl] of gatewayUrls.entries()) {
    await waitUntil(
      `the event type of the drill at ${gatewayUrl}`,
      typeDeadlineMs,
      async (within) => {
        const made = index > 0 || (await asked(gatewayUrl, { method: 'PUT', body, signal: within })).ok
        return made && (await asked(gatewayUrl, { signal: within })).ok
      },
      signal,
    )
  }
}

/** Takes the type out of the catalog, then deletes its topics. Its schema stays in the registry, which has no say over the name any more. */
export async function removeDrillType(installation: Installation, eventType: string): Promise<void> {
  const { world, close } = await openWorld(installation)
  try {
    await world.catalog.withdraw(eventType)
    const there = new Set(await world.admin.topicNames())
    const topics = [eventType, deadLetterTopic(eventType)].filter((topic) => there.has(topic))
    if (topics.length > 0) await world.admin.deleteTopics(topics)
  } finally {
    await close()
  }
}
