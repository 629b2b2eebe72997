import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Java } from './java.ts'
import { distributions, type Layout } from './layout.ts'

/** The least Java for all servers together; the registry's class files ask for it. */
export const javaMajorMin = 21

/**
 * From SIGTERM to SIGKILL. Nothing that was acknowledged is lost by the latter: a broker whose peers are gone, say, waits for a controller
 * that will not come.
 */
const stopTimeoutMs = 15_000
/** The same for a JVM that writes its archive: cut off, it would begin again at every stop. */
const archivingTimeoutMs = 75_000

/** All jars of a distribution, as a pattern that the JVM expands: a list of names would drown `ps`. */
export function classPathOf(directory: string): string {
  return join(directory, '*')
}

export type JvmOptions = {
  /** The folder of the server's jars: servers with the same jars share a class-data archive. */
  readonly distribution: string
  /** Which program of these jars it is, where they hold several: each has an archive of its own, for it uses other classes. */
  readonly program?: string
  /** Whether this process writes the archive when it ends (one of those that share it). */
  readonly writesArchive: boolean
  readonly heapMb: number
}

/**
 * What every JVM of the stack is started with: a small heap, the serial collector (2 cores) and a class-data archive that the JVM makes by
 * itself at its first end, which about halves its next start. Writing it takes 5 to 30 s of a core, once for a Java and its jars.
 */
export function jvmArguments(java: Java, layout: Layout, options: JvmOptions): string[] {
  const archive = archiveFile(java, options)
  return [
    `-Xms64m`,
    `-Xmx${options.heapMb}m`,
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-XX:SharedArchiveFile=${archive}`,
    // The same for those that write and those that read the archive, or it is refused; the JMX exporter is an agent.
    '-XX:+UnlockDiagnosticVMOptions',
    '-XX:+AllowArchivingWithJavaAgent',
    ...(options.writesArchive ? ['-XX:+AutoCreateSharedArchive'] : []),
    '-Xlog:disable',
    `-Djava.io.tmpdir=${layout.temporary}`,
    '-XX:-UsePerfData',
    `-XX:ErrorFile=${join(layout.logs, 'jvm-crash-%p.log')}`,
  ]
}

/** How long a JVM may take to stop: longer when it has an archive to write. */
export function jvmStopTimeoutMs(java: Java, options: Omit<JvmOptions, 'heapMb'>): number {
  const writes = options.writesArchive && !existsSync(archiveFile(java, options))
  return writes ? archivingTimeoutMs : stopTimeoutMs
}

/** Named after the Java and the jars that it holds, for the JVM refuses one that was made of others. */
function archiveFile(
  java: Java,
  { distribution, program = basename(distribution) }: Omit<JvmOptions, 'heapMb'>,
): string {
  const jars = createHash('sha256').update(readdirSync(distribution).sort().join('\n')).digest('hex').slice(0, 12)
  return join(distributions.classDataArchives, `${program}-java${java.major}-${jars}.jsa`)
}
