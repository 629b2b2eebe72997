/** `npm run bench -- <name>`: measures, and writes what it found to `bench/results`. */
import { MillraceError } from '@millrace/core/errors'
import { benchClients } from './clients/bench-clients.ts'
import { benchIngest } from './ingest/bench-ingest.ts'
import { benchPlatform } from './platform/bench-platform.ts'
import { benchProcessing } from './processing/bench-processing.ts'
import { type Options, optionsOf, usage } from './options.ts'

const say = (line: string): void => void process.stderr.write(`${line}\n`)

try {
  process.stdout.write(await outputOf(optionsOf(process.argv.slice(2))))
} catch (error) {
  if (!(error instanceof MillraceError)) throw error
  say(error.message)
  process.exitCode = error.code === 'config.invalid' ? 2 : 1
}

function outputOf(options: Options): string | Promise<string> {
  switch (options.name) {
    case 'help':
      return `${usage}\n`
    case 'ingest':
      return benchIngest(options, say)
    case 'clients':
      return benchClients(options, say)
    case 'processing':
      return benchProcessing(options, say)
    case 'platform':
      return benchPlatform(options, say)
  }
}
