import type { Connection } from '@platformatic/kafka'

/** One connection to each broker, made when it is needed and again after it broke. */
export type BrokerConnections<Broker = number> = {
  readonly to: (broker: Broker) => Promise<Connection>
  /** For one whose answer is not waited for any more: it would be taken for that of the next request. */
  readonly drop: (connection: Connection) => void
}

export function brokerConnections<Broker>(
  connectTo: (broker: Broker) => Promise<Connection>,
): BrokerConnections<Broker> {
  const open = new Map<Broker, Connection>()
  const opening = new Map<Broker, Promise<Connection>>()
  const connect = (broker: Broker): Promise<Connection> => {
    const made = connectTo(broker)
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
