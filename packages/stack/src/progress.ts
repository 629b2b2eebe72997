import type { StackEvents } from './stack.ts'

/** Tells how the stack comes up: a line for each part when it is ready, with the seconds that it took; then only what goes wrong. */
export function progress(write: (line: string) => void): StackEvents {
  const since = performance.now()
  const began = new Map<string, number>()
  const seconds = (from: number) => `${((performance.now() - from) / 1000).toFixed(1)} s`
  const done = (name: string, where = '') => {
    write(`  ✓ ${name.padEnd(18)} ${seconds(began.get(name) ?? since).padStart(7)}  ${where}`.trimEnd())
  }
  return {
    changed(status, detail) {
      if (status.state === 'starting') began.set(status.name, performance.now())
      if (status.state === 'running' && status.restarts === 0) done(status.name, status.address)
      else if (status.state === 'failed') write(`  ✗ ${detail ?? status.name}`)
      else if (detail) write(`  ! ${detail}`)
    },
    task(name, state) {
      if (state === 'running') began.set(name, performance.now())
      if (state === 'done') done(name)
    },
    note: (sentence) => write(`  ! ${sentence}`),
  }
}
