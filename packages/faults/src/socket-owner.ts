/** Which process a connection comes from, as Linux tells it. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { MillraceError } from '@millrace/core/errors'

/**
 * The local ports from which a process is connected to a port of this machine.
 * @throws MillraceError 'stack.failed' where the system does not tell
 */
export async function portsFrom(pid: number, to: number): Promise<Set<number>> {
  try {
    const [inodes, sockets] = await Promise.all([inodesOf(pid), connectedTo(to)])
    return new Set(sockets.filter(({ inode }) => inodes.has(inode)).map(({ port }) => port))
  } catch (cause) {
    throw new MillraceError(
      'stack.failed',
      `which connections come from process ${pid} cannot be told: that takes Linux with /proc, and the process to run as the same user`,
      { cause },
    )
  }
}

/** The sockets that a process holds open. */
async function inodesOf(pid: number): Promise<Set<string>> {
  const directory = `/proc/${pid}/fd`
  // Some are closed between the two looks.
  const links = await Promise.all(
    (await readdir(directory)).map((name) => readlink(`${directory}/${name}`).catch(() => '')),
  )
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
}

/** Java's sockets are of IPv6 even where their addresses are of IPv4. */
async function connectedTo(to: number): Promise<{ port: number; inode: string }[]> {
  const tables = await Promise.all([readFile('/proc/net/tcp', 'utf8'), readFile('/proc/net/tcp6', 'utf8')])
  return tables.flatMap((table) =>
    table.split('\n').flatMap((line) => {
      // The second and third field are addresses and ports in hexadecimal, local and remote; the tenth is the inode.
      const [, local, remote, , , , , , , inode] = line.trim().split(/\s+/)
      if (!local || !remote || !inode || portOf(remote) !== to) return []
      return [{ port: portOf(local), inode }]
    }),
  )
}

function portOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16)
}
