/** The process of a candidate, as who compares sees it. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { answerDeadlineMs } from './load.ts'

export type LoadProcess = {
  /** Whether a record was acknowledged, or the process has ended. */
  readonly isReady: () => boolean
  /** Stops sending, and resolves when everything is answered or its time is over. */
  readonly stop: () => Promise<LoadEnd>
  readonly kill: () => void
}

export type LoadEnd = {
  /** The longest time without an acknowledgement; null where the process did not live to tell. */
  readonly silenceMs: number | null
  /** The last words of a process that ended before it was told to. */
  readonly died: string | null
}

const program = fileURLToPath(new URL('load-main.ts', import.meta.url))
const message = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('done'), silenceMs: z.number() }),
])
const stopDeadlineMs = answerDeadlineMs + 20_000
const lastWordsMax = 300

/** @param errorsFile what the process writes to standard error */
export function startLoad(settingsFile: string, errorsFile: string): LoadProcess {
  const errors = openSync(errorsFile, 'w', 0o600)
  const child = fork(program, ['--config', settingsFile], { stdio: ['ignore', 'ignore', errors, 'ipc'] })
  closeSync(errors)
  let isReady = false
  const done = Promise.withResolvers<LoadEnd>()
  child.on('message', (said) => {
    const read = message.parse(said)
    if (read.kind === 'ready') isReady = true
    else done.resolve({ silenceMs: read.silenceMs, died: null })
  })
  child.once('exit', (code, signal) => {
    isReady = true
    const words = readFileSync(errorsFile, 'utf8').trim()
    const said = words.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? words
    done.resolve({ silenceMs: null, died: said.slice(0, lastWordsMax) || `ended with ${signal ?? String(code)}` })
  })
  const kill = () => void child.kill('SIGKILL')
  return {
    isReady: () => isReady,
    kill,
    stop: async () => {
      if (child.connected) child.send('stop')
      const timer = setTimeout(kill, stopDeadlineMs)
      try {
        return await done.promise
      } finally {
        clearTimeout(timer)
        // What a client still holds open would keep it alive.
        if (child.exitCode === null && child.signalCode === null) {
          const ended = once(child, 'exit')
          kill()
          await ended
        }
      }
    },
  }
}
