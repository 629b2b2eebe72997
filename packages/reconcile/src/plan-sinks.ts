import { countFailed } from '@millrace/connect/connect-answer'
import type { ConnectClient } from '@millrace/connect/connect-client'
import { type ConnectorEnvironment, connectorOf } from '@millrace/connect/connector-config'
import type { Warehouse } from '@millrace/connect/snowflake-sql'
import {
  additionOf,
  creationOf,
  type DescribedColumn,
  mismatchedColumns,
  missingColumns,
  qualifiedName,
  type Table,
  tableOf,
} from '@millrace/connect/table'
import { MillraceError } from '@millrace/core/errors'
import type { SnowflakeSink } from '@millrace/core/sink'
import type { Change } from './change.ts'

/** The table of a sink that is missing, or its columns that are. */
export async function planTable(sink: SnowflakeSink, warehouse: Warehouse): Promise<Change[]> {
  const table = tableOf(sink)
  const name = `${table.database}.${table.schema}.${table.name}`
  const described = await describe(table, warehouse)
  if (!described) {
    const detail = `${table.columns.length} columns`
    const apply = async () => {
      for (const statement of creationOf(table)) await warehouse.execute(statement)
    }
    return [{ resource: 'table', name, action: 'create', detail, apply }]
  }
  requireSameTypes(name, mismatchedColumns(table, described))
  const missing = missingColumns(table, described)
  if (missing.length === 0) return []
  const detail = `add ${missing.map((column) => `${column.name} ${column.type}`).join(', ')}`
  return [
    { resource: 'table', name, action: 'update', detail, apply: () => warehouse.execute(additionOf(table, missing)) },
  ]
}

async function describe(table: Table, warehouse: Warehouse): Promise<DescribedColumn[] | undefined> {
  try {
    const rows = await warehouse.query(`DESC TABLE ${qualifiedName(table)}`)
    return rows.map((row) => ({ name: row['name'] ?? '', type: row['type'] ?? '' }))
  } catch (error) {
    // Snowflake answers the same for what is not there and for what this role may not see.
    if (
      error instanceof MillraceError &&
      error.code === 'warehouse.refused' &&
      error.message.includes('does not exist')
    ) {
      return undefined
    }
    throw error
  }
}

function requireSameTypes(name: string, mismatched: ReturnType<typeof mismatchedColumns>): void {
  if (mismatched.length === 0) return
  const sentences = mismatched.map(({ column, actualType }) => `${column.name} is ${actualType}, not ${column.type}`)
  throw new MillraceError(
    'warehouse.refused',
    `table ${name} does not fit its sink: ${sentences.join('; ')}. Give the sink another table, or change the columns by hand`,
  )
}

/** The connector of a sink that is missing or configured otherwise. */
export async function planConnector(
  sink: SnowflakeSink,
  environment: ConnectorEnvironment,
  connect: ConnectClient,
): Promise<Change[]> {
  const connector = connectorOf(sink, environment)
  const current = await connect.config(connector.name)
  const names = [...new Set([...Object.keys(connector.config), ...Object.keys(current ?? {})])]
  const differing = names.filter((name) => name !== 'name' && current?.[name] !== connector.config[name])
  if (current && differing.length === 0) return planRepair(connector.name, connect)
  return [
    {
      resource: 'connector',
      name: connector.name,
      action: current ? 'update' : 'create',
      detail: current
        ? `changes ${differing.join(', ')}`
        : `${sink.from.topic} → ${sink.database}.${sink.schema}.${sink.table}`,
      apply: async () => {
        await connect.ensureConnector(connector)
      },
    },
  ]
}

async function planRepair(name: string, connect: ConnectClient): Promise<Change[]> {
  const failed = countFailed(await connect.status(name))
  if (failed === 0) return []
  const apply = async () => {
    await connect.restartFailed(name)
  }
  return [{ resource: 'connector', name, action: 'update', detail: `restart what failed of it (${failed})`, apply }]
}

/** The connectors that no sink of the definition wants any more. Their tables and rows stay. */
export async function planConnectorRemovals(
  sinks: readonly SnowflakeSink[],
  connect: ConnectClient,
): Promise<Change[]> {
  const wanted = new Set(sinks.map(({ name }) => name))
  const unwanted = (await connect.connectors()).filter((name) => !wanted.has(name))
  return unwanted.map((name) => ({
    resource: 'connector',
    name,
    action: 'delete',
    detail: 'no sink of the definition has this name',
    apply: async () => {
      await connect.deleteConnector(name)
    },
  }))
}
