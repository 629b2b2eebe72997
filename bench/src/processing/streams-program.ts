/** The process of the Kafka Streams program: it is told what to run on its standard input, and says on its standard output how far it is. */
import { spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { MillraceError } from '@millrace/core/errors'
import type { Command } from '@millrace/stack/server'

export type StreamsProgram = {
  readonly pid: number
  /**
   * Tells it something, and resolves when it has said this word.
   * @throws MillraceError 'stack.failed' when it has ended, or says nothing for too long
   */
  readonly tell: (line: string, word: 'running' | 'stopped') => Promise<void>
  /** Ends the process. */
  readonly close: () => Promise<void>
}

const sayDeadlineMs = 120_000
const closeDeadlineMs = 40_000

/** @param errorsFile what the process writes to standard error */
export function startStreams({ file, arguments: words }: Command, errorsFile: string): StreamsProgram {
  const errors = openSync(errorsFile, 'w', 0o600)
  const child = spawn(file, words, { stdio: ['pipe', 'pipe', errors] })
  closeSync(errors)
  const { stdin, stdout, pid } = child
  if (!stdin || !stdout || pid === undefined) throw new MillraceError('stack.failed', `${file} cannot be started`)
  const lines = createInterface({ input: stdout })
  const ended = new AbortController()
  child.once('exit', () => ended.abort())
  stdin.on('error', () => undefined) // it has ended, which is told where it is waited for
  return {
    pid,
    tell: async (line, word) => {
      const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(sayDeadlineMs)])
      try {
        const said = on(lines, 'line', { signal })
        stdin.write(`${line}\n`)
        for await (const heard of said) if (heard.includes(word)) return
      } catch (cause) {
        const how = ended.signal.aborted ? 'has ended' : `has not said it after ${sayDeadlineMs / 1_000} s`
        throw new MillraceError('stack.failed', `no "${word}" from Kafka Streams, which ${how}: see ${errorsFile}`, {
          cause,
        })
      }
    },
    close: async () => {
      if (ended.signal.aborted) return
      const exited = once(child, 'exit')
      const timer = setTimeout(() => void child.kill('SIGKILL'), closeDeadlineMs)
      stdin.end()
      await exited.finally(() => clearTimeout(timer))
    },
  }
}
