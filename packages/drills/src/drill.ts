import type { Check } from '@millrace/ledger/check'
import type { Installation } from '@millrace/stack/installation'
import type { Work } from './handled-platform.ts'
import type { SendBatch } from './keyed-load.ts'
import type { Stage } from './stage.ts'

/** How long recovery may take, in s, from when others lead what a lost broker led. */
export const afterFailOverSecondsMax = 2

export type Drill = {
  readonly name: string
  readonly says: string
  /** What bounds the time from when it is over until the platform is calm again. */
  readonly recoveryBound: string
  /** How long that may take, in s, where it is promised, fail-over and all: a verdict of its own, since it depends on the machine too. */
  readonly recoverySecondsMax?: number
  /**
   * Does what goes wrong, and resolves when it is over and everything runs again: from then on the platform should recover, unless the
   * stage was told so before. What it returns has to hold besides what has to hold always.
   * @throws MillraceError 'drill.impossible' where this machine has not what it takes: the drill was not run
   */
  readonly fault: (stage: Stage) => Promise<readonly Check[] | undefined>
  /** How many workers handle what is sent, from the beginning: each event must have its effect once. */
  readonly workers?: number
  /** How they handle it, at a rate of events per second. */
  readonly work?: (eventsPerSecond: number) => Work
  /** Some of what is sent is poison (`poison.ts`): it must end in the dead letters, once, and have no effect. */
  readonly isPoisoned?: true
  /** Throws when it cannot be done on this stack: asked before anything is sent. */
  readonly requires?: (installation: Installation) => void
  /** Whether latencies have to be what they were before, in the end. */
  readonly calmsDown?: true
  /** How a batch is sent, where not to one gateway after the other until it is acknowledged. */
  readonly send?: () => SendBatch
  /** How long after it could be read an event must be recognised when it is sent again, where not after the longest fault. */
  readonly recognisedAfterMs?: number
}
