import { join } from 'node:path'
import type { Layout } from './layout.ts'
import { properties } from './properties.ts'
import { writeSecret } from './secrets.ts'

function log4jFile(layout: Layout): string {
  return join(layout.configuration, 'log4j2.properties')
}

/** The argument that points a JVM to the one logging configuration: standard output, so the stack decides where it goes. */
export function log4jArgument(layout: Layout): string {
  return `-Dlog4j2.configurationFile=${log4jFile(layout)}`
}

export async function writeLoggingConfiguration(layout: Layout): Promise<void> {
  const settings = {
    status: 'warn',
    'appender.console.type': 'Console',
    'appender.console.name': 'STDOUT',
    'appender.console.layout.type': 'PatternLayout',
    'appender.console.layout.pattern': '%d{ISO8601} %p [%c{1}] %m%n',
    'rootLogger.level': 'INFO',
    'rootLogger.appenderRef.stdout.ref': 'STDOUT',
  }
  await writeSecret(log4jFile(layout), properties(settings))
}
