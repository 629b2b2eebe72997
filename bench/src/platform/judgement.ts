/** What a rate is held against: whether the platform keeps up with it, and whether it does so fast enough. */
import type { Percentiles } from '@millrace/example-flights/histogram'
import type { Measurement } from './measure.ts'

/** The share of the asked rate that must be acknowledged. */
const achievedShareMin = 0.98
const lagSecondsMax = 60
const apiP95MsMax = 100
const liveP95MsMax = 1_000
const resultP95MsMax = 1_000

/** A limit and what a run came to; `value` is null where it is not known, which is no better than missed. */
export type Check = {
  readonly what: string
  readonly limit: string
  readonly value: number | null
  readonly ok: boolean
}

export type Judgement = {
  /** The rate, the lag and the ledger. */
  readonly keepsUp: boolean
  /** The latencies too. */
  readonly holds: boolean
  readonly checks: readonly Check[]
}

export type Judged = Pick<Measurement, 'rate' | 'lag' | 'verdict' | 'latencies'>

export function judge({ rate, lag, verdict, latencies }: Judged): Judgement {
  const { api, live, result } = latencies
  const keeping = [
    {
      what: 'acknowledged, share of the rate',
      limit: `≥ ${achievedShareMin}`,
      value: rate.achieved / rate.asked,
      ok: rate.achieved >= achievedShareMin * rate.asked,
    },
    below('lag of the pipeline at most, s', secondsOf(lag.atMost, rate.asked), lagSecondsMax),
    below('lag of the pipeline at the end, s', secondsOf(lag.atEnd?.pipelines ?? null, rate.asked), lagSecondsMax),
    {
      what: 'acknowledged events lost; verdict of the ledger',
      limit: '0; true',
      value: verdict.lost,
      ok: verdict.ok && verdict.lost === 0,
    },
  ]
  const fast = [
    below('POST → acknowledged, p95, ms', p95(api), apiP95MsMax),
    below('POST → live subscriber, p95, ms', p95(live), liveP95MsMax),
    below('POST that closes a window → its result, p95, ms', p95(result), resultP95MsMax),
  ]
  const keepsUp = keeping.every(({ ok }) => ok)
  return { keepsUp, holds: keepsUp && fast.every(({ ok }) => ok), checks: [...keeping, ...fast] }
}

/** How long it would take to send at this rate what is not read yet. */
export function secondsOf(lag: number | null, rate: number): number | null {
  return lag === null ? null : lag / rate
}

function p95({ p95Ms }: Percentiles): number | null {
  return p95Ms ?? null
}

function below(what: string, value: number | null, bound: number): Check {
  return { what, limit: `< ${bound}`, value, ok: value !== null && value < bound }
}
