/**
 * Ends with 1 when package-lock.json names where a package comes from. It holds versions and digests alone (see .npmrc), so that
 * packages come from the registry that npm is set to, and nobody's mirror gets in.
 */
import { readFile } from 'node:fs/promises'

const lockFile: unknown = JSON.parse(await readFile('package-lock.json', 'utf8'))
const addresses = resolvedBelow(lockFile).filter((source) => source.includes(':'))
for (const address of addresses)
  console.log(`package-lock.json names ${address}: remove that line, npm adds no new one`)
process.exitCode = addresses.length === 0 ? 0 : 1

/** Every `resolved`, however deep: an address, or the folder of a workspace. */
function resolvedBelow(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    key === 'resolved' && typeof inner === 'string' ? [inner] : resolvedBelow(inner),
  )
}
