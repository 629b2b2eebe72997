import type { Query } from './database.ts'
import type { ObjectName } from './name.ts'

/**
 * A channel: one writer's way into a table. Whoever opens it again raises `clientSequencer`, which fences the writer before; each commit raises
 * `rowSequencer` by one and moves `offsetToken`, in the transaction that inserts the rows.
 */
export type Channel = {
  readonly clientSequencer: number
  readonly rowSequencer: number
  readonly offsetToken: string | null
}

const where = 'WHERE database = $1 AND schema = $2 AND "table" = $3 AND name = $4'

function keyOf({ database, schema, name }: ObjectName, channel: string): string[] {
  return [database, schema, name, channel]
}

export async function findChannel(query: Query, table: ObjectName, name: string): Promise<Channel | undefined> {
  const found = await query(
    `SELECT client_sequencer, row_sequencer, offset_token FROM double.channels ${where}`,
    keyOf(table, name),
  )
  const [row] = found.getRows()
  if (!row) return undefined
  const [client, sequence, token] = row
  return {
    clientSequencer: Number(client),
    rowSequencer: Number(sequence),
    offsetToken: typeof token === 'string' ? token : null,
  }
}

/** Opens a channel, making it where it is new. The writer that had it is fenced from now on. */
export async function openChannel(
  query: Query,
  table: ObjectName,
  name: string,
  offsetToken: string | null,
): Promise<Channel> {
  const channel = await findChannel(query, table, name)
  if (!channel) {
    await query('INSERT INTO double.channels VALUES ($1, $2, $3, $4, 0, 0, $5)', [...keyOf(table, name), offsetToken])
    return { clientSequencer: 0, rowSequencer: 0, offsetToken }
  }
  const clientSequencer = channel.clientSequencer + 1
  const opened = { ...channel, clientSequencer, offsetToken: offsetToken ?? channel.offsetToken }
  await query(`UPDATE double.channels SET client_sequencer = $5, offset_token = $6 ${where}`, [
    ...keyOf(table, name),
    clientSequencer,
    opened.offsetToken,
  ])
  return opened
}

export async function advanceChannel(
  query: Query,
  table: ObjectName,
  name: string,
  rowSequencer: number,
  offsetToken: string | null,
): Promise<void> {
  await query(`UPDATE double.channels SET row_sequencer = $5, offset_token = $6 ${where}`, [
    ...keyOf(table, name),
    rowSequencer,
    offsetToken,
  ])
}

export async function dropChannel(query: Query, table: ObjectName, name: string): Promise<void> {
  await query(`DELETE FROM double.channels ${where}`, keyOf(table, name))
}
