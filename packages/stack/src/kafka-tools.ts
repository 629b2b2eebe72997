import type { Installation } from './installation.ts'
import { classPathOf } from './jvm.ts'
import { writeClientProperties } from './kafka-client-settings.ts'
import { distributions } from './layout.ts'

/** What it takes to run Kafka's own command line tools as a user of the installation. */
export async function kafkaToolsOf(installation: Installation, user: string) {
  return {
    javaCommand: installation.java.command,
    classpath: classPathOf(distributions.kafka),
    bootstrapServers: installation.bootstrapServers.join(),
    clientPropertiesFile: await writeClientProperties(installation, user),
    user,
  }
}
