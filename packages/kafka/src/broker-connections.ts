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
  const connect = async (broker: number): Promise<Connection> => {
    try {
      const connection = await cluster.connect(broker)
      open.set(broker, connection)
      return connection
    } finally {
      opening.delete(broker)
    }
  }
  return {
    to: (broker) => {
      const known = open.get(broker)
      if (known?.isConnected()) return Promise.resolve(known)
      const current = opening.get(broker) ?? connect(broker)
      if (open.get(broker) === known) opening.set(broker, current)
      return current
    },
    drop: (connection) => void connection.close().catch(() => undefined),
  }
}
