import type { ConnectClient } from '@millrace/connect/connect-client'
import type { ConnectorEnvironment } from '@millrace/connect/connector-config'
import type { Warehouse } from '@millrace/connect/snowflake-sql'
import { eventTypesOf, type Platform } from '@millrace/core/platform'
import type { Change } from './change.ts'
import { lateTopicsOf } from './desired-topics.ts'
import { planFoundation } from './plan-foundation.ts'
import { type EventTypeWorld, planEventTypes } from './plan-event-types.ts'
import { type Jobs, planJobs } from './plan-jobs.ts'
import { planDefaultCompatibility } from './plan-schemas.ts'
import { planConnector, planConnectorRemovals, planTable } from './plan-sinks.ts'
import { planTopics } from './plan-topics.ts'

/** The connections to what is, and how much it is replicated. */
export type World = EventTypeWorld & {
  readonly warehouse: Warehouse
  readonly connect: ConnectClient
  readonly connectorEnvironment: ConnectorEnvironment
  readonly jobs: Jobs
}

/**
 * Every difference between a definition and what runs, in the order in which they must be closed: what is written to exists before
 * what writes to it.
 */
export async function planDefinition(platform: Platform, world: World): Promise<Change[]> {
  const { admin, replication, registry, warehouse, connect, connectorEnvironment, jobs } = world
  const parts = await Promise.all([
    planFoundation(platform, replication, admin),
    planDefaultCompatibility(registry),
    planEventTypes(eventTypesOf(platform), world),
    planTopics(lateTopicsOf(platform), replication, admin),
    ...platform.sinks.map((sink) => planTable(sink, warehouse)),
    planJobs(platform.pipelines, jobs, registry),
    ...platform.sinks.map((sink) => planConnector(sink, connectorEnvironment, connect)),
    planConnectorRemovals(platform.sinks, connect),
  ])
  return parts.flat()
}
