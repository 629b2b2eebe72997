/** `npm run bench -- ingest`: measures, and writes what it found to `bench/results`. */
import { MillraceError } from '@millrace/core/errors'
import { benchIngest } from './ingest/bench-ingest.ts'
import { optionsOf, usage } from './options.ts'

const say = (line: string): void => void process.stderr.write(`${line}\n`)

try {
  const options = optionsOf(process.argv.slice(2))
  if (options.help) process.stdout.write(`${usage}\n`)
  else process.stdout.write(await benchIngest(options, say))
} catch (error) {
  if (!(error instanceof MillraceError)) throw error
  say(error.message)
  process.exitCode = error.code === 'config.invalid' ? 2 : 1
}
