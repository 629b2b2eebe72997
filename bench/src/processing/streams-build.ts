import { execFile } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Java } from '@millrace/stack/java'
import { projectDirectory } from '@millrace/stack/layout'

const module = resolve(projectDirectory, 'bench/processing/java')
const buildTimeoutMs = 300_000

/** Builds the Kafka Streams program; what was fetched once is not asked for again. @returns the folder of its jars */
export async function buildStreams({ command }: Java, say: (line: string) => void): Promise<string> {
  say('building the Kafka Streams program with Maven')
  const words = ['-B', '-q', '-f', resolve(module, 'pom.xml'), 'package']
  const maven = (...options: string[]) =>
    promisify(execFile)('env', [`JAVA_HOME=${dirname(dirname(command))}`, 'mvn', ...options, ...words], {
      timeout: buildTimeoutMs,
    })
  await maven('--offline').catch(() => maven())
  return resolve(module, 'target/lib')
}
