import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'

const program = fileURLToPath(new URL('scripted-service.ts', import.meta.url))

type Signal = 'SIGTERM' | 'SIGINT'

/** Runs a scripted service, sends it signals as soon as it is ready, and tells what it printed and how it ended. */
async function run(scenario: string, ...signals: Signal[]) {
  const child = spawn(process.execPath, [program, scenario], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const before = output
    output += chunk.toString()
    const [first, second] = signals
    if (first && !before.includes('"msg":"ready"') && output.includes('"msg":"ready"')) child.kill(first)
    if (second && !before.includes('draining') && output.includes('draining')) child.kill(second)
  })
  const end = await new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  )
  const lines = output.trim().split('\n')
  return { ...end, output, said: lines.filter((line) => !line.startsWith('{')) }
}

describe('a service', () => {
  test.each<Signal>(['SIGTERM', 'SIGINT'])(
    'that gets %s drains, closes in reverse order and ends well',
    async (signal) => {
      const { code, said } = await run('good', signal)
      expect(said).toEqual([
        'ready while starting: false',
        'ready while draining: false',
        'service closed',
        'second closes',
        'first closed',
      ])
      expect(code).toBe(0)
    },
  )

  test('whose start fails closes what it had opened, says why in a sentence and ends with 1', async () => {
    const { code, said, output } = await run('no-start')
    expect(said).toEqual(['second closes', 'first closed'])
    expect(output).toContain('"level":"fatal"')
    expect(output).toContain('scripted did not start: the port is taken')
    expect(code).toBe(1)
  })

  test('names the step that is late, closes the others and ends with 1', async () => {
    const { code, said, output } = await run('late', 'SIGTERM')
    expect(output).toMatch(/"step":"second".*did not stop within 3000 ms/)
    expect(said.at(-1)).toBe('first closed')
    expect(code).toBe(1)
  })

  test('names the step that fails, closes the others and ends with 1', async () => {
    const { code, said, output } = await run('close-fails', 'SIGTERM')
    expect(output).toMatch(/\\?"scripted\\?" failed while stopping/)
    expect(output).toContain('it is stuck')
    expect(said.slice(-2)).toEqual(['second closes', 'first closed'])
    expect(code).toBe(1)
  })

  test('that does not finish what it took is closed all the same, and ends with 1', async () => {
    const { code, said, output } = await run('drain-hangs', 'SIGTERM')
    expect(output).toMatch(/"step":"drain".*did not stop within 15000 ms/)
    expect(said.at(-1)).toBe('first closed')
    expect(code).toBe(1)
  })

  test('that is held open after all is closed is ended by force, and says so', async () => {
    const { code, output } = await run('stays-open', 'SIGTERM')
    expect(output).toContain('ended by force: something was still open')
    expect(code).toBe(0)
  })

  test('ends at once with a second signal', async () => {
    const { signal, said } = await run('drain-hangs', 'SIGTERM', 'SIGTERM')
    expect(signal).toBe('SIGTERM')
    expect(said).not.toContain('first closed')
  })
})
