/** One candidate under load, in a process of its own: it says `ready`, sends until it is told to stop, and says what it saw. */
import { readConfig } from '@millrace/service/config'
import { openLedger } from '@millrace/ledger/ledger'
import * as z from 'zod'
import { candidatesFor } from './candidates.ts'
import { clientSettings } from './client.ts'
import { sendRecords } from './load.ts'

const config = await readConfig(
  z.strictObject({
    candidate: z.string(),
    source: z.string(),
    recordsPerSecond: z.int(),
    ledgerFile: z.string(),
    client: clientSettings,
  }),
  process.argv.slice(2),
)
const candidate = candidatesFor(config.client.confluentDirectory).find(({ name }) => name === config.candidate)
if (!candidate) throw new RangeError(`there is no candidate "${config.candidate}"`)

const stopping = new AbortController()
process.once('message', () => stopping.abort())
process.once('disconnect', () => stopping.abort())

const client = await candidate.open(config.client)
const ledger = openLedger(config.ledgerFile)
const { source, recordsPerSecond } = config
let lastMs = 0
let silenceMs = 0
const heard = (now: number): void => {
  if (lastMs > 0) silenceMs = Math.max(silenceMs, now - lastMs)
  lastMs = now
}
const onAcknowledged = (): void => {
  if (lastMs === 0) process.send?.({ kind: 'ready' })
  // What comes late, when nothing is sent any more, ends no silence.
  if (!stopping.signal.aborted) heard(performance.now())
}
stopping.signal.addEventListener('abort', () => heard(performance.now()))
await sendRecords(
  { client, ledger, topic: config.client.topic, source, recordsPerSecond },
  onAcknowledged,
  stopping.signal,
)
ledger.close()
process.send?.({ kind: 'done', silenceMs: Math.round(silenceMs) })
