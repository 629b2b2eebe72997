import { findJava, type JavaEnvironment } from '@millrace/stack/java'
import { javaMajorMin } from '@millrace/stack/jvm'

/** `millrace doctor`: what the servers need of this machine. Throws MillraceError `config.invalid` with the sentence to show. */
export async function doctor(environment: JavaEnvironment): Promise<{ java: string; javaHome: string; major: number }> {
  const java = await findJava(environment, javaMajorMin)
  return { java: java.command, javaHome: java.command.replace(/\/bin\/java$/, ''), major: java.major }
}
