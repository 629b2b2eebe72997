import type { CatalogEntry } from '@millrace/core/catalog'
import type { EventTypeWorld } from '@millrace/reconcile/plan-event-types'
import type { FastifyInstance } from 'fastify'
import { type Audit, refusalOf } from './audit.ts'
import { type Identity, require } from './authentication.ts'
import { parseEventTypeBody } from './event-type-body.ts'
import { putEventType, type Put } from './event-type-change.ts'
import type { EventTypes } from './event-types.ts'
import { parseBody } from './json-body.ts'
import { mediaTypeOf } from './media-type.ts'
import { createTurns } from './turns.ts'
import { problem, ProblemError } from './problem.ts'

const bodyBytesMax = 1_048_576
/** Changes are rare; whoever comes when so many wait has gone wrong. */
const turnsOfChanges = { atOnceMax: 1, waitingMax: 32, waitMsMax: 10_000 } as const

export type CatalogRoutes = {
  readonly eventTypes: EventTypes
  readonly world: EventTypeWorld
  readonly partitionsMax: number
  readonly audit: Audit
}

type Named = { Params: { type: string } }

/** The catalog: `GET /v1/event-types`, and `GET` and `PUT` of one. */
export function catalogRoutes(app: FastifyInstance, routes: CatalogRoutes): void {
  const { eventTypes } = routes
  const reading = { config: { access: ['catalog:read'] } } as const

  app.get('/v1/event-types', reading, () => ({ eventTypes: eventTypes.all().map(shown) }))

  app.get<Named>('/v1/event-types/:type', reading, (request) => {
    const entry = eventTypes.find(request.params.type)
    if (!entry) throw new ProblemError(problem(404, `there is no event type "${request.params.type}"`))
    return shown(entry)
  })

  const turns = createTurns(turnsOfChanges)
  app.put<Named>('/v1/event-types/:type', {
    bodyLimit: bodyBytesMax,
    // The scope is asked for here, so that a refusal is in the audit log.
    config: { access: 'any-token' },
    onRequest: async (request) => {
      await audited(request.identity, request.params.type, routes, () => {
        require(request.identity, 'catalog:write')
        return Promise.resolve(undefined)
      })
    },
    handler: async (request, reply) => {
      const { identity, params, headers, body } = request
      const put = await audited(identity, params.type, routes, async () => {
        requireJson(headers['content-type'])
        const { value } = await parseBody(Buffer.isBuffer(body) ? body : Buffer.alloc(0))
        const wanted = parseEventTypeBody(value, routes.partitionsMax)
        // One after the other, so that what two requests do to one type is not mixed.
        return turns.take(() => putEventType(params.type, wanted, routes.world))
      })
      return reply.code(put.outcome === 'created' ? 201 : 200).send(shown(put.entry))
    },
  })
}

/** Does what changes the catalog, and leaves a line in the audit log however it ends; where nothing is to be told yet, none. */
async function audited<T extends Put | undefined>(
  { subject }: Identity,
  type: string,
  { eventTypes, audit }: CatalogRoutes,
  change: () => Promise<T>,
): Promise<T> {
  const before = eventTypes.find(type)
  try {
    const put = await change()
    if (put) audit({ subject, type, before, after: put.entry, outcome: put.outcome, status: statusOf(put) })
    return put
  } catch (error) {
    audit({ subject, type, before, ...refusalOf(error) })
    throw error
  }
}

function statusOf({ outcome }: Put): number {
  return outcome === 'created' ? 201 : 200
}

function requireJson(contentType: string | undefined): void {
  if (mediaTypeOf(contentType) === 'application/json') return
  throw new ProblemError(problem(415, 'send an event type as application/json'))
}

/** An entry as the API shows it: what may be sent back by PUT, and what the registry made of it. A pipeline comes from a definition alone. */
function shown(entry: CatalogEntry) {
  const references = entry.references
    .filter(({ transitive }) => transitive !== true)
    .map(({ name, subject, version }) => ({ name, subject, version }))
  return { ...entry, references, pipeline: undefined }
}
