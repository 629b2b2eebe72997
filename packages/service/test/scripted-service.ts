/** A service for the tests of the lifecycle: its argument says what goes wrong. Prints what happens, a line each. */
import { runService } from '../src/lifecycle.ts'

const [scenario] = process.argv.slice(2)
const say = (line: string) => process.stdout.write(`${line}\n`)
const never = new Promise<void>(() => undefined)
/** As sockets and timers do, holds the process open until it is closed. */
const open = setInterval(() => undefined, 60_000)

await runService('scripted', (lifecycle) => {
  lifecycle.onClose('first', () => {
    say('first closed')
    if (scenario !== 'stays-open') clearInterval(open)
    return Promise.resolve()
  })
  lifecycle.onClose('second', () => {
    say('second closes')
    return scenario === 'late' ? never : Promise.resolve()
  })
  if (scenario === 'no-start') return Promise.reject(new Error('the port is taken'))
  say(`ready while starting: ${lifecycle.isReady()}`)
  return Promise.resolve({
    drain: () => {
      say(`ready while draining: ${lifecycle.isReady()}`)
      return scenario === 'drain-hangs' ? never : Promise.resolve()
    },
    close: () => {
      say('service closed')
      return scenario === 'close-fails' ? Promise.reject(new Error('it is stuck')) : Promise.resolve()
    },
  })
})
