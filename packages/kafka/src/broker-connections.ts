import type { Connection } from '@platformatic/kafka'
import type { Cluster } from './cluster.ts'

/** One connection to each broker, made when it is needed and again after it broke. */
export type BrokerConnections = {
  readonly to: (broker: number) => Promise<Connection>
  /** For one whose answer is not waited for any more: it would be taken for that of the next request. */
  readonly drop: (connection: Connection) => void
}

export function brokerConnections(cluster: Pick<Cluster, 'connect'>): BrokerConnections {
  const open = new Map<number, Connection>()
  const opening = new Map<number, Promise<Connection>>()
  const connect = (broker: number): Promise<Connection> => {
    const made = cluster
      .connect(broker)
      .then((connection) => {
        open.set(broker, connection)
        return connection
      })
      .finally(() => opening.delete(broker))
    opening.set(broker, made)
    return made
  }
  return {
    to: (broker) => {
      const known = open.get(broker)
      return known?.isConnected() ? Promise.resolve(known) : (opening.get(broker) ?? connect(broker))
    },
    drop: (connection) => void connection.close().catch(() => undefined),
  }
}
