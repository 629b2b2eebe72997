import { type ServerStatus } from '@millrace/stack/server'
import { type StackEvents } from '@millrace/stack/stack'

/** Tells on standard error how the stack comes up: a line for each part when it is ready, with the seconds that it took. */
export function progress(write: (line: string) => void): StackEvents & { done(): void } {
  const since = performance.now()
  const began = new Map<string, number>()
  let quiet = false
  const seconds = (from: number) => `${((performance.now() - from) / 1000).toFixed(1)} s`

  const ready = (name: string, where = '') => {
    if (quiet) return
    write(`  ✓ ${name.padEnd(18)} ${seconds(began.get(name) ?? since).padStart(7)}  ${where}`.trimEnd())
  }
  return {
    changed(status: ServerStatus, detail) {
      if (status.state === 'starting') began.set(status.name, performance.now())
      if (status.state === 'running' && status.restarts === 0) ready(status.name, status.address)
      else if (status.state === 'failed') write(`  ✗ ${detail ?? status.name}`)
      else if (detail) write(`  ! ${detail}`)
    },
    task(name, state) {
      if (state === 'running') began.set(name, performance.now())
      if (state === 'done') ready(name)
    },
    note: (sentence) => write(`  ! ${sentence}`),
    done() {
      quiet = true
      write(`ready in ${seconds(since)}`)
    },
  }
}
