import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the checkout: servers' jars and our own programs are found from here. */
export const projectDirectory = resolve(fileURLToPath(import.meta.url), '../../../..')

/** Where one installation keeps what it makes: secrets, data, logs. Git-ignored; `millrace down --wipe` deletes it. */
export type Layout = ReturnType<typeof layoutOf>

export function layoutOf(stateDirectory: string) {
  const inState = (name: string) => resolve(stateDirectory, name)
  return {
    state: resolve(stateDirectory),
    secrets: inState('secrets'),
    certificates: inState('certificates'),
    configuration: inState('configuration'),
    data: inState('data'),
    logs: inState('logs'),
    run: inState('run'),
    temporary: inState('tmp'),
  } as const
}

/** Where `mvn -f packages/jvm/pom.xml package` puts the servers. */
export const distributions = {
  kafka: resolve(projectDirectory, 'packages/jvm/dist/kafka'),
  connect: resolve(projectDirectory, 'packages/jvm/dist/connect'),
  flink: resolve(projectDirectory, 'packages/jvm/dist/flink'),
  registry: resolve(projectDirectory, 'packages/jvm/dist/registry'),
  plugins: resolve(projectDirectory, 'packages/jvm/dist/plugins'),
  agents: resolve(projectDirectory, 'packages/jvm/dist/agents'),
  /** What the JVMs made of the jars beside it; shared by all state folders, so that a fresh one starts fast too. */
  classDataArchives: resolve(projectDirectory, 'packages/jvm/dist/class-data-archives'),
} as const
