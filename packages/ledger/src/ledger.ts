import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'

/**
 * What was sent to the gateway, and what it answered: an append-only file of tab-separated
 * lines. Lines are written before the request is sent and before its answer is acted upon, in the same process turn,
 * so that they survive the death of this process; the verdict takes them as what was acknowledged.
 */
export const ledgerColumns = ['kind', 'request', 'at_ms', 'id', 'partition', 'offset', 'sha256', 'detail'] as const

export type LedgerOutcome =
  | {
      readonly status: 'accepted' | 'duplicate'
      readonly id: string
      readonly partition: number
      readonly offset: number
      /** Hexadecimal SHA-256 of the data as it was sent. */
      readonly sha256: string
    }
  | { readonly status: 'rejected' | 'unconfirmed' | 'unsent'; readonly id: string; readonly detail: string }

export type Ledger = {
  /** Notes the events of a request, in request order, before it is sent; with the SHA-256 of their data where that is known by then. */
  sending(request: string, lane: number, ids: readonly string[], digests?: readonly string[]): void
  /** Notes what became of each event of a request. */
  settled(request: string, outcomes: readonly LedgerOutcome[]): void
  close(): void
}

/** Opens a ledger for appending. A last line that a crash left torn is cut off: nothing had been done upon it. */
export function openLedger(file: string, now: () => number = Date.now): Ledger {
  const descriptor = openSync(file, 'a+', 0o600)
  cutTornLine(descriptor)
  const line = (kind: string, request: string, ...rest: readonly string[]) =>
    `${[kind, request, now(), ...rest].join('\t')}\n`
  const outcomeLine = (request: string, outcome: LedgerOutcome): string => {
    if ('detail' in outcome) {
      return line(outcome.status, request, outcome.id, '', '', '', outcome.detail.replaceAll(/[\t\r\n]+/g, ' '))
    }
    const { status, id, partition, offset, sha256 } = outcome
    return line(status, request, id, String(partition), String(offset), sha256, '')
  }
  return {
    sending: (request, lane, ids, digests = []) => {
      writeSync(descriptor, line('sending', request, '', String(lane), '', digests.join(' '), ids.join(' ')))
    },
    settled: (request, outcomes) => {
      if (outcomes.length > 0) writeSync(descriptor, outcomes.map((outcome) => outcomeLine(request, outcome)).join(''))
    },
    close: () => closeSync(descriptor),
  }
}

const chunkBytes = 64 * 1024

function cutTornLine(descriptor: number): void {
  const chunk = Buffer.alloc(chunkBytes)
  let end = fstatSync(descriptor).size
  while (end > 0) {
    const start = Math.max(0, end - chunkBytes)
    const read = readSync(descriptor, chunk, 0, end - start, start)
    const newline = chunk.subarray(0, read).lastIndexOf('\n')
    if (newline >= 0) {
      ftruncateSync(descriptor, start + newline + 1)
      return
    }
    end = start
  }
  ftruncateSync(descriptor, 0)
}
