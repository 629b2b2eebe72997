import type { Connection } from '@platformatic/kafka'
import type { BatchLimits } from './batch-limits.ts'
import type { BrokerConnections } from './broker-connections.ts'
import type { Batch, PartitionWriter } from './partition-writer.ts'
import { newProducerId, type PartitionAnswer, produce } from './produce.ts'

export type SenderLimits = BatchLimits & { readonly requestBytesMax: number }

/** What became of the batch of a writer. */
export type Outcome =
  | { readonly kind: 'answered'; readonly batch: Batch; readonly answer: PartitionAnswer }
  /** Whether the batch is stored is not known. */
  | { readonly kind: 'unanswered'; readonly batch: Batch }
  /** Nothing was sent. */
  | { readonly kind: 'unreachable'; readonly error: unknown }

/**
 * What is written to the partitions that one broker leads: one request at a time, with a batch of every partition that has something.
 * What comes while a request is under way leaves with the next (group commit), so batches grow with the load by themselves.
 */
export class BrokerSender {
  readonly #broker: number
  readonly #connections: BrokerConnections
  readonly #limits: SenderLimits
  readonly #onOutcome: (writer: PartitionWriter, outcome: Outcome | undefined) => void
  readonly #waiting: PartitionWriter[] = []
  #isRunning = false

  /** @param onOutcome is told of each writer once for each `offer`, with `undefined` when it had nothing to send */
  constructor(
    broker: number,
    connections: BrokerConnections,
    limits: SenderLimits,
    onOutcome: (writer: PartitionWriter, outcome: Outcome | undefined) => void,
  ) {
    this.#broker = broker
    this.#connections = connections
    this.#limits = limits
    this.#onOutcome = onOutcome
  }

  offer(writer: PartitionWriter): void {
    this.#waiting.push(writer)
    if (this.#isRunning) return
    this.#isRunning = true
    // What arrives in the same turn of the event loop goes into the same request.
    setImmediate(() => void this.#run())
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      try {
        const connection = await this.#connections.to(this.#broker)
        await this.#identify(connection)
        await this.#send(connection)
      } catch (error) {
        for (const writer of this.#waiting.splice(0)) this.#onOutcome(writer, { kind: 'unreachable', error })
      }
    }
    this.#isRunning = false
  }

  /** Gives every writer that has none a producer id, all in one go. */
  async #identify(connection: Connection): Promise<void> {
    const unidentified = this.#waiting.filter((writer) => !writer.isIdentified)
    try {
      await Promise.all(unidentified.map(async (writer) => writer.identify(await newProducerId(connection))))
    } catch (error) {
      this.#connections.drop(connection)
      throw error
    }
  }

  async #send(connection: Connection): Promise<void> {
    const sent = this.#take()
    if (sent.size === 0) return
    const batches = [...sent.values()]
    const outcomes = await produce(connection, replicasTimeoutMs, batches).then(
      (answers) => (batch: Batch) => outcomeOf(batch, answers),
      () => {
        this.#connections.drop(connection)
        return (batch: Batch): Outcome => ({ kind: 'unanswered', batch })
      },
    )
    for (const [writer, batch] of sent) this.#onOutcome(writer, outcomes(batch))
  }

  /** Left for the next request: who has no producer id yet, having been offered while others got theirs, and what this one has no room for. */
  #take(): Map<PartitionWriter, Batch> {
    const sent = new Map<PartitionWriter, Batch>()
    const left: PartitionWriter[] = []
    let bytes = 0
    for (const writer of this.#waiting.splice(0)) {
      if (!writer.isIdentified || bytes >= this.#limits.requestBytesMax) {
        left.push(writer)
        continue
      }
      try {
        const batch = writer.take(this.#limits)
        if (batch) sent.set(writer, batch)
        else this.#onOutcome(writer, undefined)
        bytes += batch?.bytes.length ?? 0
      } catch (error) {
        this.#onOutcome(writer, { kind: 'unreachable', error })
      }
    }
    this.#waiting.unshift(...left)
    return sent
  }
}

/** How long the leader waits for the other replicas; shorter than a request may take. */
const replicasTimeoutMs = 3_000

function outcomeOf(batch: Batch, answers: readonly PartitionAnswer[]): Outcome {
  const answer = answers.find(({ topic, partition }) => topic === batch.topic && partition === batch.partition)
  // One that does not tell of the batch is none.
  return answer ? { kind: 'answered', batch, answer } : { kind: 'unanswered', batch }
}
