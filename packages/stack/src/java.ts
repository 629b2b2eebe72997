import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { MillraceError } from '@millrace/core/errors'

/** A Java that was found and asked for its version. */
export type Java = { readonly command: string; readonly major: number }

/** What of the process environment says where Java is. */
export type JavaEnvironment = { readonly javaHome: string | undefined; readonly path: string | undefined }

const usualFolders = ['/usr/lib/jvm', '/usr/java', '/opt', '/opt/homebrew/opt', '/Library/Java/JavaVirtualMachines']
const versionTimeoutMs = 30_000

/**
 * A Java of at least a version: JAVA_HOME's, for whoever sets it means it, else the newest on PATH and in the usual folders.
 * @throws MillraceError `config.invalid` with the sentence to show, when there is none.
 */
export async function findJava(environment: JavaEnvironment, majorMin: number): Promise<Java> {
  const chosen = environment.javaHome ? await versionOf(join(environment.javaHome, 'bin/java')) : undefined
  if (chosen && chosen.major >= majorMin) return chosen
  const found = [chosen, ...(await Promise.all((await candidates(environment)).map(versionOf)))]
  const newest = found
    .filter((java) => java !== undefined)
    .sort((one, other) => other.major - one.major)
    .at(0)
  if (newest && newest.major >= majorMin) return newest
  throw new MillraceError(
    'config.invalid',
    `Java ${majorMin} or newer is needed (the schema registry does not run on less) and ${newest ? `only Java ${newest.major} was found` : 'none was found'}: install one, or let JAVA_HOME point to it`,
  )
}

async function candidates({ path }: JavaEnvironment): Promise<string[]> {
  const installed = await Promise.all(
    usualFolders.map(async (folder) => {
      const names = await readdir(folder).catch(() => [])
      return names.flatMap((name) => [
        join(folder, name, 'bin/java'),
        join(folder, name, 'Contents/Home/bin/java'),
        join(folder, name, 'libexec/openjdk.jdk/Contents/Home/bin/java'),
      ])
    }),
  )
  const onPath = (path ?? '').split(delimiter).map((folder) => join(folder, 'java'))
  return [...new Set([...onPath, ...installed.flat()])]
}

async function versionOf(command: string): Promise<Java | undefined> {
  try {
    const { stderr } = await promisify(execFile)(command, ['-version'], {
      timeout: versionTimeoutMs,
    })
    const major = /version "(?:1\.)?(\d+)/.exec(stderr)?.[1] // 8 and older call themselves 1.8
    return major ? { command, major: Number(major) } : undefined
  } catch {
    return undefined // not there, or not a Java: the next candidate is asked
  }
}
