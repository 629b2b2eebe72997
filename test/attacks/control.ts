/**
 * Does so much work over and over as the gateway may do at once, to learn how long that takes beside everything else on this machine:
 * a stall that is no longer is the machine's, and not the gateway's.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

const pauseMs = 200

/** Runs in a process of its own. It ends, and tells the longest time in milliseconds, when its input does. */
const program = (workMs: number) => `
  let longest = 0
  const used = () => { const { user, system } = process.threadCpuUsage(); return (user + system) / 1000 }
  const timer = setInterval(() => {
    const [startedAt, before] = [performance.now(), used()]
    while (used() - before < ${workMs});
    longest = Math.max(longest, performance.now() - startedAt)
  }, ${pauseMs})
  process.stdin.resume().on('end', () => { clearInterval(timer); process.stdout.write(String(longest)) })
`

/** @returns what ends it, and tells in seconds the longest that so much work took */
export function startControl(workSeconds: number): () => Promise<number> {
  const child = spawn(process.execPath, ['-e', program(workSeconds * 1_000)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const told = text(child.stdout)
  const ended = once(child, 'exit')
  return async () => {
    child.stdin.end()
    await ended
    return Number(await told) / 1_000
  }
}
