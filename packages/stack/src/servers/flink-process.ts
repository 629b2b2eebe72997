import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { flinkConfigurationFile, flinkJaas, flinkJvmArguments } from '@millrace/flink/server-config'
import { brokerName } from '../broker-name.ts'
import { checkpointDirectory } from '../flink-checkpoints.ts'
import type { Installation } from '../installation.ts'
import { classPathOf, jvmArguments, jvmStopTimeoutMs } from '../jvm.ts'
import { distributions } from '../layout.ts'
import { log4jArgument } from '../logging.ts'
import { writeSecret } from '../secrets.ts'
import type { ServerSpec } from '../server.ts'

/** One of the processes that Flink is made of. */
type FlinkProcess = {
  readonly name: string
  readonly mainClass: string
  readonly heapMb: number
  /** See `JvmOptions`. */
  readonly program?: string
  readonly writesArchive: boolean
  /** What its class is called with. */
  readonly arguments: (configurationDirectory: string) => readonly string[]
  /** The text of its `config.yaml`, for each start. */
  readonly configuration: (temporaryDirectory: string) => string
}

const readyTimeoutMs = 180_000

/** A JVM of Flink with a configuration, a temporary folder and Kafka's password of its own. */
export function flinkProcess(
  { java, layout, secrets, brokerNodes, flink }: Installation,
  { name, mainClass, arguments: words, configuration, ...options }: FlinkProcess,
): Pick<
  ServerSpec,
  'kind' | 'name' | 'dependsOn' | 'uses' | 'command' | 'prepare' | 'readyTimeoutMs' | 'stopTimeoutMs'
> {
  const configurationDirectory = join(layout.configuration, name)
  const jaasFile = join(layout.secrets, `${name}.jaas`)
  const temporary = join(layout.temporary, name)
  const jvm = { distribution: distributions.flink, ...options }
  return {
    kind: 'server',
    name,
    dependsOn: [],
    // Its jobs end their transactions when it stops.
    uses: brokerNodes.map(brokerName),
    command: {
      file: java.command,
      arguments: [
        ...jvmArguments(java, { ...layout, temporary }, jvm),
        ...flinkJvmArguments(jaasFile),
        log4jArgument(layout),
        '-cp',
        classPathOf(distributions.flink),
        mainClass,
        ...words(configurationDirectory),
      ],
      environment: { FLINK_CONF_DIR: configurationDirectory },
    },
    prepare: async () => {
      // One that was killed has left libraries of tens of megabytes there.
      await rm(temporary, { recursive: true, force: true })
      for (const directory of [configurationDirectory, temporary, checkpointDirectory(layout, flink)]) {
        await mkdir(directory, { recursive: true, mode: 0o700 })
      }
      await writeSecret(flinkConfigurationFile(configurationDirectory), configuration(temporary))
      await writeSecret(jaasFile, flinkJaas('flink', secrets.kafkaPassword('flink')))
    },
    readyTimeoutMs,
    stopTimeoutMs: jvmStopTimeoutMs(java, jvm),
  }
}
