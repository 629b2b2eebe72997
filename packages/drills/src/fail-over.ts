import { MillraceError } from '@millrace/core/errors'
import { openCluster } from '@millrace/kafka/cluster'
import { brokerName } from '@millrace/stack/broker-name'
import type { Stage } from './stage.ts'

/** Longer than any broker is away. */
const deadlineMs = 120_000

/** Waits until other brokers lead all that one led of what is sent, and tells the stage. */
export type FailOver = (broker: string) => Promise<void>

/** Watches, as long as `use` takes, who leads the partitions of what is sent. */
export async function watchingLeaders(stage: Stage, use: (failOver: FailOver) => Promise<void>): Promise<void> {
  const { installation, load } = stage
  const topic = load.eventType
  const cluster = openCluster(await installation.kafkaConnection('admin'))
  try {
    const partitions = await cluster.askForPartitions(topic)
    await use(async (broker) => {
      const lost = installation.brokerNodes.find((node) => brokerName(node) === broker)
      if (lost === undefined) throw new RangeError(`there is no broker ${broker}`)
      if (installation.brokerNodes.length === 1) return // it leads again when it is back
      await cluster.refresh() // it may lead more by now than when it was asked for last
      const another = Array.from({ length: partitions }, (_, partition) =>
        cluster.anotherLeader(topic, partition, lost, deadlineMs),
      )
      if ((await Promise.all(another)).includes(false)) {
        throw new MillraceError('stack.failed', `${broker} still leads partitions of ${topic}`)
      }
      stage.failedOver()
    })
  } finally {
    await cluster.close()
  }
}
